// Where does a map open that a hand moved or zoomed on another page?
//
// Streamlit's map keeps its view to itself. Here it is read where React keeps it, at each gesture of the reader, and
// given back to the next map whose view has the same name (`deck.Look.view`) as the map's own gestures give it. It is
// sent nowhere and forgotten when the page is loaded anew. Where React or the component are not as expected here, maps
// open as the page asks.
(() => {
  if (window.geoQmiViews) return;

  const PARTS = ["longitude", "latitude", "zoom"];
  const ASKED = '[class*="-ensemble"], [class*="-cadrer"]'; // buttons that ask for a view: the former is forgotten
  const DEEP = 12; // elements between the frame of a map and what draws it: four in Streamlit 1.67
  const left = new Map(); // name of a view → where a hand left it
  const met = new WeakMap(); // frame of a map → the name of its view, and where it stood when a hand first came

  const charts = () => document.querySelectorAll('[data-testid="stDeckGlJsonChart"]');
  // React keeps two versions of each element; the one on the screen is found from the root.
  const onScreen = (fiber) => {
    if (!fiber?.return) return fiber?.stateNode?.current;
    for (let child = onScreen(fiber.return)?.child; child; child = child.sibling) {
      if (child === fiber || child.alternate === fiber) return child;
    }
  };
  const drawn = (fiber, deep = 0) => {
    const props = fiber?.memoizedProps;
    if (props?.viewState && typeof props.onViewStateChange === "function") return props;
    for (let child = deep < DEEP && fiber?.child; child; child = child.sibling) {
      const found = drawn(child, deep + 1);
      if (found) return found;
    }
  };
  const shown = (chart) => {
    const key = Object.keys(chart).find((name) => name.startsWith("__reactFiber$"));
    const { viewState, views, onViewStateChange } = drawn(onScreen(chart[key])) || {};
    const name = [views].flat()[0]?.props?.name;
    return name && PARTS.every((part) => Number.isFinite(viewState[part])) && { name, viewState, onViewStateChange };
  };

  window.geoQmiViews = () => [...charts()].map(shown); // what it sees, for who looks for a fault

  const note = (event) => {
    for (const chart of charts()) {
      const { name, viewState } = shown(chart) || {};
      if (!name) continue;
      if (met.get(chart)?.name !== name) met.set(chart, { name });
      if (event.type === "click" && event.target.closest?.(ASKED)) {
        left.delete(name);
        met.set(chart, { name });
        continue;
      }
      const known = met.get(chart);
      if (!known.from && chart.contains(event.target)) known.from = viewState;
      if (known.from && PARTS.some((part) => known.from[part] !== viewState[part])) {
        left.set(name, Object.fromEntries(PARTS.map((part) => [part, viewState[part]])));
      }
    }
  };
  for (const gesture of ["pointerdown", "wheel", "keydown", "click", "popstate"]) {
    window.addEventListener(gesture, note, { capture: true, passive: true });
  }

  const open = () => {
    for (const chart of charts()) {
      const { name, viewState, onViewStateChange } = (!met.has(chart) && shown(chart)) || {};
      if (!name) continue;
      met.set(chart, { name, from: left.get(name) && {} });
      if (left.has(name)) onViewStateChange({ viewState: { ...viewState, ...left.get(name), transitionDuration: 0 } });
    }
  };
  new MutationObserver(open).observe(document.body, { subtree: true, childList: true });
  open();
})();
