/* The menu of a small screen, for the keyboard: its switches are labels of boxes that are not shown, so without this
   script they are for fingers and mice only. Each gets a real button that lies over it. */

(() => {
  const small = matchMedia("(max-width: 76.234375em)")
  const drawer = () => document.getElementById("__drawer")
  const switches = "label.md-header__button[for=__drawer], .md-nav--primary label:is(.md-nav__title, .md-nav__link)[for]"
  const behind = ".md-skip, .md-header, .md-content, .md-footer, .md-top"
  const isShown = (element) => element.checkVisibility({visibilityProperty: true})

  const add = (label) => {
    const button = document.createElement("button")
    button.className = "menu-switch"
    button.type = "button"
    button.value = label.htmlFor
    button.ariaLabel = label.matches(".md-header__button") ? "Menu" : label.textContent.trim()
    button.addEventListener("click", (event) => {
      event.preventDefault() // else the label does it, too
      document.getElementById(label.htmlFor).click()
    })
    label.removeAttribute("tabindex")
    label.append(button)
    return button
  }

  const update = () => {
    for (const label of document.querySelectorAll(switches)) {
      const button = label.querySelector("button") ?? (small.matches && add(label))
      if (!button) continue
      button.hidden = !small.matches
      button.ariaExpanded = document.getElementById(label.htmlFor).checked
    }
    for (const element of document.querySelectorAll(behind)) element.inert = small.matches && drawer().checked
  }

  // What opens gets the focus; when it closes, its switch gets it back.
  const follow = ({target}) => {
    if (!small.matches || !target.matches(".md-toggle") || target.id == "__search") return
    update()
    const level = target == drawer() ? ".md-sidebar--primary" : `#${target.id} ~ .md-nav`
    const within = [...document.querySelectorAll(`${level} :is(a[href], .menu-switch)`)]
    const next = target.checked
      ? within.find((element) => isShown(element) && element.value != "__drawer")
      : document.querySelector(`label:not(.md-nav__title) > .menu-switch[value="${target.id}"]`)
    next?.focus({preventScroll: true}) // it is still moving in
  }

  const close = ({key}) => {
    if (key == "Escape" && small.matches && drawer().checked) drawer().click()
  }

  document.addEventListener("change", follow)
  document.addEventListener("keydown", close)
  small.addEventListener("change", update)
  // The theme swaps pages without loading them.
  new MutationObserver(update).observe(document.body, {childList: true})
  update()
})()
