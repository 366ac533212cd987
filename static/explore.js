/* Exploring the picture of a customer: zoom, pan, and what one identifier touches.
   The server's drawing stands until somebody asks for this. */

const frame = document.querySelector("[data-explore]");
const LIBRARY = frame && frame.dataset.library;
const MANY = 80; // Above this a force layout keeps the page waiting; circles do not.

function loadLibrary() {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = LIBRARY;
    script.onload = resolve;
    script.onerror = reject;
    document.head.append(script);
  });
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function look() {
  const ink = colour("--ink"), accent = colour("--accent"), sheet = colour("--sheet");
  return [
    { selector: "node", style: {
      label: "data(value)", color: ink, "font-size": 15, "text-margin-y": -6,
      "background-color": sheet, "border-color": accent, "border-width": 2,
      width: 14, height: 14, "text-background-color": sheet, "text-background-opacity": 0.8 } },
    { selector: "node[kind = 'phone']", style: { shape: "round-rectangle" } },
    { selector: "node[?primary]", style: { "background-color": accent } },
    { selector: "edge", style: { width: 1.5, "line-color": colour("--line-strong"), "curve-style": "straight" } },
    { selector: "edge.near", style: {
      label: "data(told)", color: ink, "font-size": 12, "line-color": accent, width: 2.5,
      "text-background-color": sheet, "text-background-opacity": 0.9 } },
    { selector: ".far", style: { opacity: 0.15 } },
  ];
}

function elements(graph) {
  return [
    ...graph.nodes.map((node) => ({ data: { ...node, id: node.name } })),
    ...graph.edges.map((edge) => ({ data: {
      source: edge.email, target: edge.phone,
      told: `${edge.firstSeenAt.slice(0, 10)} · ${edge.source}` } })),
  ];
}

function focusOn(explorer, node) {
  explorer.elements().removeClass("near").addClass("far");
  const near = node.closedNeighborhood();
  near.removeClass("far");
  near.edges().addClass("near");
}

async function explore(button) {
  button.disabled = true;
  button.textContent = "Loading…";
  const [graph] = await Promise.all([
    fetch(frame.dataset.explore).then((answer) => answer.json()),
    loadLibrary(),
  ]);
  frame.replaceChildren();
  frame.classList.add("exploring");
  const explorer = window.cytoscape({
    container: frame,
    elements: elements(graph),
    style: look(),
    layout: graph.nodes.length > MANY
      ? { name: "concentric", concentric: (node) => node.degree(), levelWidth: () => 2, animate: false }
      : { name: "cose", animate: false, nodeRepulsion: () => 60000, idealEdgeLength: () => 140, nodeDimensionsIncludeLabels: true, padding: 40 },
    maxZoom: 1.5,
  });
  explorer.on("tap", "node", (event) => focusOn(explorer, event.target));
  explorer.on("tap", (event) => {
    if (event.target === explorer) explorer.elements().removeClass("near far");
  });
  frame.dataset.nodes = explorer.nodes().length;
  frame.dataset.edges = explorer.edges().length;
  button.textContent = "Show all of it";
  button.disabled = false;
  button.onclick = () => {
    explorer.elements().removeClass("near far");
    explorer.fit(undefined, 30);
  };
}

if (frame) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button quiet small";
  button.textContent = "Explore";
  button.onclick = () => explore(button).catch(() => {
    button.textContent = "Exploring failed. Reload the page to try again.";
  });
  frame.before(button);
}
