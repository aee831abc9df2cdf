// Puts the pages of the built site into one document, and tells its headings. Run by scripts/site/pdf.py.

async (pages) => {
  // An id is unique on its page only; in the book it begins with the name of its page.
  const nameOf = (path) => path.replace(/\.html$/, "")
  const renamed = ["id", "for", "name", "aria-labelledby", "aria-describedby"]

  const rename = (root, name) => {
    for (const element of root.querySelectorAll("*"))
      for (const {name: key, value} of [...element.attributes])
        if (renamed.includes(key)) element.setAttribute(key, `${name}:${value}`)
        else if (value.includes("url(#")) element.setAttribute(key, value.replaceAll("url(#", `url(#${name}:`))
  }

  const lead = (link, address, name) => {
    const url = new URL(link.getAttribute("href"), address)
    const target = nameOf(url.pathname.slice(1))
    const within = url.origin == location.origin && pages.includes(url.pathname.slice(1))
    link.setAttribute("href", within ? `#${target}${url.hash && ":" + decodeURIComponent(url.hash.slice(1))}` : url.href)
    if (link.textContent == link.href || link.textContent + "/" == link.href) link.classList.add("book-plain")
  }

  const titles = []
  for (const [index, path] of pages.entries()) {
    const address = new URL(path, location.origin)
    const text = await (await fetch(address)).text()
    const article = new DOMParser().parseFromString(text, "text/html").querySelector("article")
    const name = nameOf(path)
    article.querySelectorAll(".headerlink, .md-content__button, .md-code__nav, script").forEach((element) => element.remove())
    article.querySelectorAll("details").forEach((details) => (details.open = true))
    article.querySelectorAll("[loading]").forEach((image) => image.removeAttribute("loading"))
    article.querySelectorAll("[src]").forEach((image) => (image.src = new URL(image.getAttribute("src"), address)))
    rename(article, name)
    article.querySelectorAll("a[href]").forEach((link) => lead(link, address, name))

    const section = document.createElement("section")
    section.id = name
    section.style.page = `page-${index}`
    section.append(...article.childNodes)
    document.querySelector("article").append(section)
    titles.push(section.querySelector("h1").textContent.trim())
  }
  const heads = titles.map((title, index) => `@page page-${index} { @top-left { content: ${JSON.stringify(title)} } }`)
  document.head.append(Object.assign(document.createElement("style"), {textContent: heads.join("\n")}))
  for (const [index, link] of document.querySelectorAll(".book-contents a").entries())
    link.querySelector("span").textContent = titles[index]
  await Promise.all([...document.images].map((image) => image.decode()))
  await document.fonts.ready
  return [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].map((heading) => heading.textContent)
}
