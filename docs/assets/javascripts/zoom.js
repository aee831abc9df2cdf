/* Pictures that link to themselves open over the page. Escape, a click or the button closes them. */

(() => {
  addEventListener("click", (event) => {
    const link = event.target.closest?.("a.zoom")
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    event.stopImmediatePropagation() // the theme would take it for a page
    const {alt} = link.querySelector("img")
    const dialog = document.createElement("dialog")
    dialog.className = "zoom-dialog"
    dialog.setAttribute("aria-label", alt)
    const close = Object.assign(document.createElement("button"), {type: "button", textContent: "Close", autofocus: true})
    dialog.append(close, Object.assign(new Image(), {src: link.href, alt}))
    dialog.addEventListener("click", () => dialog.close())
    dialog.addEventListener("close", () => dialog.remove())
    document.body.append(dialog)
    dialog.showModal() // the focus is inside until it closes, and comes back to the picture then
  }, true)
})()
