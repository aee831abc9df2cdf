/* The menu of a small screen, for the keyboard: its switches are labels of boxes that are not shown, so without this
   script they are for fingers and mice only. */

(() => {
  const small = matchMedia("(max-width: 76.234375em)")
  const drawer = () => document.getElementById("__drawer")
  const switches = "label.md-header__button[for=__drawer], .md-nav--primary label:is(.md-nav__title, .md-nav__link)[for]"
  const behind = ".md-skip, .md-header, .md-content, .md-footer, .md-top"
  const isShown = (element) => element.checkVisibility({visibilityProperty: true})

  const update = () => {
    for (const label of document.querySelectorAll(switches)) {
      if (!small.matches) {
        if (label.role) label.removeAttribute("role"), label.removeAttribute("aria-expanded"), (label.tabIndex = -1)
        continue
      }
      label.role = "button"
      label.tabIndex = 0
      label.ariaExpanded = document.getElementById(label.htmlFor).checked
      if (label.matches(".md-header__button")) label.ariaLabel = "Menu"
    }
    for (const element of document.querySelectorAll(behind)) element.inert = small.matches && drawer().checked
  }

  // What opens gets the focus; when it closes, its switch gets it back.
  const follow = ({target}) => {
    if (!small.matches || !target.matches(".md-toggle") || target.id == "__search") return
    update()
    const level = target == drawer() ? ".md-sidebar--primary" : `#${target.id} ~ .md-nav`
    const within = [...document.querySelectorAll(`${level} :is(a[href], label[role=button])`)]
    const next = target.checked
      ? within.find((element) => isShown(element) && element.htmlFor != "__drawer")
      : document.querySelector(`label[role=button]:not(.md-nav__title)[for="${target.id}"]`)
    next?.focus({preventScroll: true}) // it is still moving in
  }

  const press = (event) => {
    if (event.key == "Escape" && small.matches && drawer().checked) drawer().click()
    // The theme knows Enter for labels. What is called a button must know the space bar, too.
    if (event.key == " " && event.target.matches("label[role=button]")) {
      event.preventDefault()
      event.target.click()
    }
  }

  document.addEventListener("change", follow)
  document.addEventListener("keydown", press)
  small.addEventListener("change", update)
  // The theme swaps pages without loading them.
  new MutationObserver(update).observe(document.body, {childList: true})
  update()
})()
