// The language of the page, and French for the words of Streamlit's own widgets, which has no setting for either.
(() => {
  if (window.geoQmiFrench) return;
  window.geoQmiFrench = true;
  document.documentElement.lang = "fr";

  const FRENCH = {
    "Add row": "Ajouter une ligne",
    "App pages": "Pages",
    "Ascending": "Croissant",
    "Autosize": "Ajuster la largeur",
    "Automatic": "Automatique",
    "Calendar": "Calendrier",
    "Clear all": "Tout retirer",
    "Clear selection": "Ne rien choisir",
    "Clear value": "Effacer",
    "Close": "Fermer",
    "Close Search": "Fermer la recherche",
    "Close fullscreen": "Quitter le plein écran",
    "Collapse sidebar": "Fermer le menu",
    "Compact": "Abrégé",
    "Connecting": "Connexion",
    "Copy column name": "Copier le nom de la colonne",
    "Dataframe column menu": "Menu de la colonne",
    "Decrement": "Moins",
    "Delete row(s)": "Supprimer les lignes cochées",
    "Dollar": "Dollars",
    "Download as CSV": "Télécharger en CSV",
    "Edit": "Modifier",
    "Euro": "Euros",
    "Exit fullscreen": "Quitter le plein écran",
    "Expand sidebar": "Ouvrir le menu",
    "Format": "Présentation",
    "Fullscreen": "Plein écran",
    "Hide column": "Masquer la colonne",
    "Increment": "Plus",
    "Localized": "À la française",
    "Next Result": "Résultat suivant",
    "No data": "Aucune donnée",
    "No results": "Aucun résultat",
    "Open": "Ouvrir la liste",
    "Percent": "Pourcentage",
    "Pin column": "Figer la colonne",
    "Plain": "Sans séparateur",
    "Previous Result": "Résultat précédent",
    "Running...": "En cours…",
    "Scientific": "Scientifique",
    "Scroll tabs left": "Onglets de gauche",
    "Scroll tabs right": "Onglets de droite",
    "Search": "Chercher",
    "Select all": "Tout choisir",
    "Selected values": "Choix",
    "Show/hide columns": "Colonnes montrées",
    "Skip to main content": "Aller au contenu",
    "Sort ascending": "Tri croissant",
    "Sort descending": "Tri décroissant",
    "Stop": "Arrêter",
    "Type to search": "Écrivez pour chercher",
    "Unpin column": "Ne plus figer",
    "Upload": "Choisir ou déposer un fichier",
    "View less": "Voir moins",
    "Yen": "Yens",
    "file upload": "Fichier à déposer",
  };
  const PATTERNS = [
    [/^(\d+) more$/, "$1 autres"],
    [/^View (\d+) more$/, "Voir $1 de plus"],
    [/^Remove (.+)$/, "Retirer $1"],
    [/^Select (\d+) matches$/, "Choisir les $1 trouvés"],
    [/^(\d+) of (\d+) results?$/, "$1 sur $2"],
    [/^(\d+) results?$/, "Trouvés : $1"],
  ];
  const ATTRIBUTES = ["aria-label", "title", "placeholder"];
  // Where Streamlit writes text of its own: words of the study elsewhere are left as they are.
  const CHROME =
    'header, [data-testid="stSidebar"], [data-testid="stFileUploader"], [data-testid="stElementToolbar"],' +
    ' [data-testid="stTooltipContent"],' +
    ' [data-testid="stStatusWidget"], [data-testid="stDataFrameColumnMenu"], [role="menu"], [role="tooltip"],' +
    ' [role="listbox"], [role="dialog"], .gdg-search-bar';

  const french = (said) => {
    const words = said.trim();
    if (Object.hasOwn(FRENCH, words)) return FRENCH[words];
    const [from, to] = PATTERNS.find(([pattern]) => pattern.test(words)) || [];
    return from ? words.replace(from, to) : "";
  };
  const told = (node) => {
    if (node.nodeType === Node.TEXT_NODE) {
      const meant = node.parentElement?.closest(CHROME) && french(node.nodeValue);
      if (meant) node.nodeValue = meant;
    } else if (node.nodeType === Node.ELEMENT_NODE) {
      if (node.tagName === "CANVAS" && node.getAttribute("aria-label") === "Map") {
        // Two maps of a page are told apart by what they show.
        const about = node.closest('[data-testid="stDeckGlJsonChart"]')?.getAttribute("aria-label") || "";
        node.setAttribute("aria-label", `Carte : ${about.split(". ")[0]}`);
      }
      for (const name of ATTRIBUTES) {
        const meant = node.hasAttribute(name) && french(node.getAttribute(name));
        if (meant) node.setAttribute(name, meant);
      }
    }
  };
  const all = (root) => {
    told(root);
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) told(walker.currentNode);
  };
  new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.type === "childList") change.addedNodes.forEach(all);
      else told(change.target);
    }
  }).observe(document.body, {
    subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ATTRIBUTES,
  });
  all(document.body);
})();
