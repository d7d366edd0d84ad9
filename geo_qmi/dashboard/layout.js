// The language of the page, and French for the words of Streamlit's own widgets, which has no setting for either.
(() => {
  if (window.geoQmiFrench) return;
  window.geoQmiFrench = true;
  document.documentElement.lang = "fr";

  const FRENCH = {
    "25th percentile": "Premier quartile",
    "75th percentile": "Troisième quartile",
    "Accounting": "Comptabilité",
    "Add files": "Ajouter un fichier",
    "Add row": "Ajouter une ligne",
    "All selected options have been cleared.": "Plus rien n’est choisi.",
    "App pages": "Pages",
    "Ascending": "Croissant",
    "Automatic": "Automatique",
    "Autosize": "Ajuster la largeur",
    "Average": "Moyenne",
    "Average length": "Longueur moyenne",
    "Based on sample": "D’après un échantillon",
    "Calendar": "Calendrier",
    "Choose an option": "Choisir",
    "Choose options": "Choisir",
    "Clear all": "Tout retirer",
    "Clear entry": "Effacer",
    "Clear selection": "Ne rien choisir",
    "Clear time": "Effacer l’heure",
    "Clear value": "Effacer",
    "Close": "Fermer",
    "Close Search": "Fermer la recherche",
    "Close fullscreen": "Quitter le plein écran",
    "Collapse sidebar": "Fermer le menu",
    "Compact": "Abrégé",
    "Connecting": "Connexion",
    "Connection error": "Connexion perdue",
    "Connection lost. Please wait for the app to reconnect, then try again.": "Connexion perdue. Attendez qu’elle revienne, puis recommencez.",
    "Copy column name": "Copier le nom de la colonne",
    "Count": "Nombre",
    "Dataframe column menu": "Menu de la colonne",
    "Decrement": "Moins",
    "Delete row(s)": "Supprimer les lignes cochées",
    "Distinct": "Différentes",
    "Distribution histogram": "Répartition",
    "Dollar": "Dollars",
    "Download as CSV": "Télécharger en CSV",
    "Download failed": "Le téléchargement a échoué",
    "Duration": "Durée",
    "Edit": "Modifier",
    "Empty": "Vides",
    "Engineering": "Ingénieur",
    "Error": "Erreur",
    "Error uploading file": "Le dépôt a échoué",
    "Error:": "Erreur :",
    "Euro": "Euros",
    "Exit fullscreen": "Quitter le plein écran",
    "Expand sidebar": "Ouvrir le menu",
    "File size is too small.": "Fichier vide.",
    "Failed to load data": "Lecture impossible",
    "Format": "Présentation",
    "Fullscreen": "Plein écran",
    "Help": "Aide",
    "Hide column": "Masquer la colonne",
    "Hours must be 0–23.": "Les heures vont de 0 à 23.",
    "Increment": "Plus",
    "Invalid input.": "Saisie refusée.",
    "Invalid time format. Please use HH:MM.": "Écrivez l’heure ainsi : 14:30.",
    "Is Streamlit still running? If you accidentally stopped Streamlit, just restart it in your terminal:": "Le tableau de bord s’est arrêté. Relancez-le, puis rechargez cette page :",
    "Link to heading": "Lien vers ce titre",
    "Localized": "À la française",
    "Long press or press Alt + ArrowDown to open menu": "Alt + flèche bas pour ouvrir le menu",
    "Maximum length": "Longueur maximale",
    "Median": "Médiane",
    "Minimum length": "Longueur minimale",
    "Minutes must be 0–59.": "Les minutes vont de 0 à 59.",
    "Network error": "Erreur de réseau",
    "Next Result": "Résultat suivant",
    "No data": "Aucune donnée",
    "No options": "Aucun choix",
    "No options to select.": "Aucun choix.",
    "No results": "Aucun résultat",
    "Number is above the allowed range.": "Trop grand.",
    "Number is below the allowed range.": "Trop petit.",
    "Only one file is allowed.": "Un seul fichier à la fois.",
    "Open": "Ouvrir la liste",
    "Page not found": "Page introuvable",
    "Percent": "Pourcentage",
    "Pin column": "Figer la colonne",
    "Plain": "Sans séparateur",
    "Please wait...": "Patientez…",
    "Previous Result": "Résultat précédent",
    "Range": "Étendue",
    "Running...": "En cours…",
    "Scientific": "Scientifique",
    "Script execution error": "Erreur imprévue",
    "Scroll tabs left": "Onglets de gauche",
    "Scroll tabs right": "Onglets de droite",
    "Scrollable table": "Tableau à faire défiler",
    "Search": "Chercher",
    "Select all": "Tout choisir",
    "Selected values": "Choix",
    "Show/hide columns": "Colonnes montrées",
    "Skip to main content": "Aller au contenu",
    "Sort ascending": "Tri croissant",
    "Sort descending": "Tri décroissant",
    "Standard deviation": "Écart type",
    "Statistics": "Statistiques",
    "Stop": "Arrêter",
    "Stopping...": "Arrêt…",
    "Streamlit server is not responding. Are you connected to the internet?": "Le tableau de bord s’est arrêté. Relancez-le (geo-qmi app), puis rechargez cette page.",
    "Sum": "Somme",
    "The value cannot be interpreted as a number.": "Ce n’est pas un nombre.",
    "The value cannot be interpreted as boolean.": "Ce n’est ni oui ni non.",
    "The value is not part of the allowed options.": "Ce n’est pas un choix de la liste.",
    "This field is required.": "Champ obligatoire.",
    "Top values frequency chart": "Valeurs les plus fréquentes",
    "True/false distribution chart": "Part de oui et de non",
    "Type to search": "Écrivez pour chercher",
    "Unexpected error. Please try again.": "Erreur imprévue : recommencez.",
    "Unpin column": "Ne plus figer",
    "Upload": "Choisir ou déposer un fichier",
    "Upload failed": "Le dépôt a échoué",
    "Values": "Valeurs",
    "View less": "Voir moins",
    "Yen": "Yens",
    "Zoom In": "Agrandir",
    "Zoom Out": "Réduire",
    "checkbox": "case à cocher",
    "file upload": "Fichier à déposer",
    "number": "nombre",
    "selectbox": "liste",
    "streamlit run yourscript.py": "geo-qmi app",
    "text": "texte",
  };
  const PATTERNS = [
    [/^(\d+) more$/, "$1 autres"],
    [/^View (\d+) more$/, "Voir $1 de plus"],
    [/^Remove (.+)$/, "Retirer $1"],
    [/^Cancel upload of (.+)$/, "Arrêter le dépôt de $1"],
    [/^Help for (.+)$/, "Aide : $1"],
    [/^Select (\d+) matches$/, "Choisir les $1 trouvés"],
    [/^(\d+) of (\d+) results?$/, "$1 sur $2"],
    [/^(\d+) results?$/, "Trouvés : $1"],
    [/^(\d+) options? available\.$/, "Choix possibles : $1."],
    [/^(\d+)(?:\.0)?B$/, "$1 o"],
    [/^(\d+)\.(\d)KB$/, "$1,$2 ko"],
    [/^(\d+)\.(\d)MB$/, "$1,$2 Mo"],
    [/^File must be (\d+)(?:\.\d)?MB or smaller\.$/, "Trop gros : $1 Mo au plus."],
    [/^.+ files are not allowed\.$/, "Ce genre de fichier n’est pas lu ici."],
    [/^Number is above the allowed range\..+ (\S+)\.$/, "Trop grand : $1 au plus."],
    [/^Number is below the allowed range\..+ (\S+)\.$/, "Trop petit : $1 au moins."],
    [/^Number is outside the allowed range\..+ (\S+) and (\S+)\.$/, "Un nombre de $1 à $2."],
    [/^time (\S+) is invalid\. [^]+$/, "$1 n’est pas une heure."],
    [/^Value is out of range for [^]+$/, "Hors des bornes."],
    [/^binStart: .+; Range: (.+); Count: (\d+)$/, "$1 : $2"],
    [/^(?:You have requested page|The page that you have requested) [^]*$/,
      "Cette adresse ne mène à aucune page : voici l’accueil."],
    [/^This app has encountered an error\.[^]*$/,
      "Une erreur imprévue a arrêté cette page ; son détail est dans le terminal du tableau de bord."],
  ];
  const ATTRIBUTES = ["aria-label", "title", "placeholder"];
  // Where Streamlit writes text of its own: words of the study elsewhere are left as they are.
  const CHROME =
    'header, [data-testid="stSkipToContent"], [data-testid="stSidebar"], [data-testid="stFileUploader"],' +
    ' [data-testid="stNumberInput"], [data-testid="stTimeInput"], [data-testid="stStatusWidget"],' +
    ' [data-testid="stElementToolbar"], [data-testid="stTooltipContent"], [data-testid="stException"],' +
    ' [data-testid="stDataFrameColumnMenu"], [data-testid^="stDataFrameStatistics"],' +
    ' [data-testid="stDataFrameTooltipContent"],' +
    ' [data-live-announcer], [id^="react-aria-description"], [role="menu"], [role="tooltip"],' +
    ' [role="listbox"], [role="dialog"], .gdg-search-bar';

  const french = (said) => {
    const words = said.trim();
    if (Object.hasOwn(FRENCH, words)) return FRENCH[words];
    const [action, ...about] = words.split(": ");  // an action, and what it is about; or the end of such a sentence
    const rest = about.join(": ");
    if (rest && Object.hasOwn(FRENCH, action)) return `${FRENCH[action]} : ${french(rest) || rest}`;
    if (rest && !action && french(rest)) return `\u00a0: ${french(rest)}`;
    const [from, to] = PATTERNS.find(([pattern]) => pattern.test(words)) || [];
    return from ? words.replace(from, to) : "";
  };
  const told = (node) => {
    if (node.nodeType === Node.TEXT_NODE) {
      const meant = node.parentElement?.closest(CHROME) && french(node.nodeValue);
      if (meant) node.nodeValue = node.nodeValue.replace(/\S[^]*\S|\S/, () => meant); // the blanks around stay
    } else if (node.nodeType === Node.ELEMENT_NODE) {
      if (node.tagName === "CANVAS" && node.getAttribute("aria-label") === "Map") {
        // Two maps of a page are told apart by what they show.
        const about = node.closest('[data-testid="stDeckGlJsonChart"]')?.getAttribute("aria-label") || "";
        const named = about.split(". ")[0];
        node.setAttribute("aria-label", named.startsWith("Carte") ? named : `Carte : ${named}`);
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
