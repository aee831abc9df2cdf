// Marp's settings. Emoji stay characters: by default, Marp takes pictures of them from another host.
export default {
  allowLocalFiles: true,
  html: true,
  options: { emoji: { unicode: false, shortcode: false }, markdown: { breaks: false } },
  themeSet: ["theme.css"],
};
