/* Names and focus for what the theme makes without: every page works without this script, too. */

(() => {
  const each = (selector, change) => document.querySelectorAll(selector).forEach(change)
  const name = (element, text) => element.hasAttribute("aria-label") || element.setAttribute("aria-label", text)

  const improve = () => {
    each(".md-search[role=dialog]", (dialog) => name(dialog, "Search"))
    each(".task-list-item input", (box) => name(box, box.closest("li").textContent.trim().split("\n")[0]))
    // What scrolls sideways can be scrolled with the keyboard only if it can have the focus.
    const boxes = [...document.querySelectorAll(".md-typeset pre > code, .md-typeset__scrollwrap")]
    boxes.filter((box) => box.scrollWidth > box.clientWidth).forEach((box) => (box.tabIndex = 0))
  }

  // The theme adds its buttons late, and swaps pages without loading them.
  let waiting
  const soon = () => {
    clearTimeout(waiting)
    waiting = setTimeout(improve, 100)
  }
  new MutationObserver(soon).observe(document.documentElement, {childList: true, subtree: true})
  addEventListener("resize", soon)
  soon()
})()
