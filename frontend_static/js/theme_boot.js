// A classic script in the head: the chosen theme is on the page before its first paint.
(() => {
  try {
    const theme = localStorage.getItem("soksak.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Storage is forbidden here: the system's theme it is.
  }
})();
