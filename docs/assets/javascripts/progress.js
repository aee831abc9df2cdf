/* Which chapters the reader has done: kept in this browser and sent nowhere. Without this script, or
   where the browser keeps nothing, pages are as they are. */

(() => {
  const KEY = "guide.done"
  const CHAPTER = /\/chapter-(\d+\.\d+)(?:\/|\/index\.html|\.html)?$/
  const LINKS = ".md-nav--primary .md-nav__link[href], .syllabus a, .md-typeset td > a, h2[id^='tag:'] ~ ul a"
  const each = (selector, change) => document.querySelectorAll(selector).forEach(change)

  const read = () => new Set(JSON.parse(localStorage.getItem(KEY) || "[]"))
  const write = (done) => {
    if (done.size) localStorage.setItem(KEY, JSON.stringify([...done].sort()))
    else localStorage.removeItem(KEY)
    show()
  }
  let forgotten // for those who did not mean it

  const show = () => {
    const done = read()
    each(LINKS, (link) => {
      const chapter = CHAPTER.exec(link.pathname)
      const ticked = Boolean(chapter && done.has(chapter[1]))
      if (link.classList.toggle("is-done", ticked) === Boolean(link.querySelector(".done-word"))) return
      if (!ticked) return link.querySelector(".done-word").remove()
      const word = link.appendChild(document.createElement("span"))
      word.className = "done-word"
      word.textContent = " (done)"
    })
    each("[data-chapters]", (figure) => {
      const all = figure.dataset.chapters.split(" ")
      const count = all.filter((chapter) => done.has(chapter)).length
      figure.hidden = !count
      figure.textContent = count ? `${count} of ${all.length} done` : ""
      figure.style.setProperty("--done", count / all.length)
    })
    each(".chapter-done", (box) => (box.hidden = false))
    each("input[data-chapter]", (box) => (box.checked = done.has(box.dataset.chapter)))
    each(".progress-reset", (button) => {
      button.hidden = !done.size && !forgotten
      button.textContent = done.size ? "Forget my progress" : "Bring my progress back"
    })
    each(".home", (page) => {
      const all = page.querySelector("[data-chapters]").dataset.chapters.split(" ")
      const next = (done.size && all.find((chapter) => !done.has(chapter))) || all[0]
      each(".start", (link) => {
        link.textContent = `${next === all[0] ? "Start" : "Continue"} with chapter ${next}`
        link.href = link.href.replace(/part-\d+(.)chapter-\d+\.\d+/, `part-${next[0]}$1chapter-${next}`)
      })
    })
  }

  const start = () => {
    try {
      show()
    } catch (error) {
      console.info("Your progress is not kept:", error.message)
    }
  }

  addEventListener("change", ({target}) => {
    const chapter = target.dataset?.chapter
    if (!chapter) return
    const done = read()
    done[target.checked ? "add" : "delete"](chapter)
    write(done)
  })
  addEventListener("click", ({target}) => {
    if (!target.closest?.(".progress-reset")) return
    const done = read()
    write(done.size ? new Set() : forgotten)
    forgotten = done.size ? done : undefined
    show()
  })
  addEventListener("storage", ({key}) => key === KEY && start()) // another tab

  // The theme swaps pages without loading them.
  if (window.document$) document$.subscribe(start)
  else start()
})()
