// Checks of the slide that is shown. Each returns a list of sentences, empty when all is well.
const slide = document.querySelector(".bespoke-marp-active section[id]");
const frame = document.querySelector(".bespoke-marp-active").getBoundingClientRect();
const scale = frame.width / 1280;
const shortly = text => text.trim().replace(/\s+/g, " ").slice(0, 50);

function textNodes() {
  const walker = document.createTreeWalker(slide, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const hidden = node.parentElement.closest("style, script, title, desc");
    if (node.data.trim() && !hidden) found.push(node);
  }
  return found;
}

function boxesOf(node) {
  const range = document.createRange();
  range.selectNodeContents(node);
  return [...range.getClientRects()].filter(box => box.width && box.height);
}

// In pixels of a slide, measured from its upper left corner.
function measured(box) {
  const [left, top] = [(box.left - frame.left) / scale, (box.top - frame.top) / scale];
  return {left, top, right: left + box.width / scale, bottom: top + box.height / scale};
}

function inside(inner, outer, slack = 1) {
  return inner.left >= outer.left - slack && inner.top >= outer.top - slack
    && inner.right <= outer.right + slack && inner.bottom <= outer.bottom + slack;
}

// The box that something has to stay in: what draws a line around it, a drawing, or the slide's text area.
function roomFor(element) {
  const whole = {left: 0, top: 0, right: 1280, bottom: 720};
  if (element.closest("footer")) return whole;
  const shape = element.closest("svg .box, svg .bp-node");
  if (shape) return measured(shape.querySelector("rect").getBoundingClientRect());
  const drawing = element.closest("figure svg, .portrait");
  if (drawing && drawing !== element) return measured(drawing.getBoundingClientRect());
  const box = measured((element.closest(".count, .four-columns > div, .two-columns > div") || slide).getBoundingClientRect());
  const footer = slide.querySelector("footer");
  const bottom = footer ? measured(footer.getBoundingClientRect()).top - 10 : box.bottom;
  if (element.closest(".count, .four-columns > div, .two-columns > div")) return {...box, bottom: Math.min(box.bottom, bottom)};
  const style = getComputedStyle(slide);
  const apart = element.closest("figure, h2, h3, img");  // beside the text, or above text and picture
  return {
    left: box.left + (apart ? 0 : parseFloat(style.paddingLeft)),
    top: box.top,
    right: box.right - (apart ? 0 : parseFloat(style.paddingRight)),
    bottom,
  };
}

function overflow() {
  const found = [];
  for (const node of textNodes())
    for (const box of boxesOf(node))
      if (!inside(measured(box), roomFor(node.parentElement))) found.push(`text leaves its box: ${shortly(node.data)}`);
  for (const picture of slide.querySelectorAll("img, figure svg, .portrait"))
    if (!inside(measured(picture.getBoundingClientRect()), roomFor(picture)))
      found.push(`picture leaves its box: ${picture.alt || picture.getAttribute("aria-label") || picture.className}`);
  // Text to the left, a picture to the right: they must not meet.
  for (const figure of slide.querySelectorAll(":scope > figure, :scope > p > img:only-child")) {
    const room = figure.getBoundingClientRect();
    for (const node of textNodes().filter(node => !figure.contains(node)))
      for (const box of boxesOf(node))
        if (box.right > room.left && box.left < room.right && box.bottom > room.top && box.top < room.bottom)
          found.push(`text meets a picture: ${shortly(node.data)}`);
  }
  return [...new Set(found)];
}

// ---------------------------------------------------------------- contrast

function parsed(color) {
  const numbers = (color.match(/[\d.]+/g) || []).map(Number);
  return {rgb: numbers.slice(0, 3), alpha: numbers.length > 3 ? numbers[3] : 1};
}

function luminance(rgb) {
  const [r, g, b] = rgb.map(value => value / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function over(top, alpha, below) {
  return top.map((value, i) => value * alpha + below[i] * (1 - alpha));
}

// What an element paints at a point below a text: a colour, a picture, or nothing.
function paint(element) {
  const style = getComputedStyle(element);
  if (element.matches("img, image, video, canvas")) return "picture";
  if (element instanceof SVGGeometryElement) {
    if (style.fill === "none") return null;
    const {rgb, alpha} = parsed(style.fill);
    return {rgb, alpha: alpha * style.fillOpacity * style.opacity};
  }
  if (element instanceof SVGElement) return null;
  if (style.backgroundImage !== "none") return "picture";
  return parsed(style.backgroundColor);
}

function behind(element, x, y) {
  const stack = document.elementsFromPoint(x, y);
  const own = stack.indexOf(element);
  const layers = [];
  for (const each of stack.slice(Math.max(own, 0))) {
    const layer = paint(each);
    if (layer === "picture") return null;
    if (layer && layer.alpha) layers.push(layer);
    if (layer && layer.alpha === 1) break;
  }
  return layers.reverse().reduce((below, layer) => over(layer.rgb, layer.alpha, below), [255, 255, 255]);
}

function contrast(least = 4.5) {
  const found = [];
  for (const node of textNodes()) {
    const element = node.parentElement;
    const style = getComputedStyle(element);
    const {rgb, alpha} = parsed(element instanceof SVGElement ? style.fill : style.color);
    const box = boxesOf(node)[0];
    const ground = behind(element, box.left + box.width / 2, box.top + box.height / 2);
    if (!ground) {
      found.push(`text on a picture: ${shortly(node.data)}`);
      continue;
    }
    const [light, dark] = [luminance(over(rgb, alpha, ground)), luminance(ground)].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < least) found.push(`${ratio.toFixed(1)} : 1 is too little: ${shortly(node.data)}`);
  }
  return [...new Set(found)];
}

// ---------------------------------------------------------------- pictures and words

function pictures() {
  const found = [];
  for (const image of slide.querySelectorAll("img")) {
    if (!image.complete || !image.naturalWidth) found.push(`picture is broken: ${image.getAttribute("src")}`);
    if (!image.alt.trim()) found.push(`picture has no words: ${image.getAttribute("src")}`);
  }
  for (const drawing of slide.querySelectorAll("svg")) {
    const words = drawing.getAttribute("aria-label") || drawing.querySelector("title")?.textContent;
    if (!words && drawing.getAttribute("aria-hidden") !== "true") found.push("drawing has no words");
  }
  return found;
}

function words() {
  const found = [];
  if (slide.querySelectorAll("h1, h2, h3, h4").length !== 1) found.push("a slide has one heading");
  if (/\{\{|\}\}/.test(slide.textContent)) found.push("something was not filled in");
  return found;
}
