"""What the kinds of things look like: line drawings on a field of 24 by 24, stroked by the style sheet."""

from __future__ import annotations

ICONS = {
    "arrays": '<path d="M4 8l8-4 8 4-8 4zM4 12l8 4 8-4M4 16l8 4 8-4"/>',
    "branch": '<path d="M7 8v8M17 9.5c0 4-3.5 4.5-7.5 7"/>'
    '<circle cx="7" cy="5.5" r="2.5"/><circle cx="7" cy="18.5" r="2.5"/><circle cx="17" cy="7" r="2.5"/>',
    "bucket": '<ellipse cx="12" cy="6" rx="8" ry="2.8"/><path d="M4 6l2 12.5C6.3 20 8.8 21 12 21s5.7-1 6-2.5L20 6"/>',
    "cache": '<ellipse cx="12" cy="6" rx="7.5" ry="3"/><path d="M4.5 6v12c0 1.7 3.4 3 7.5 3s7.5-1.3 7.5-3V6'
    'M4.5 12c0 1.7 3.4 3 7.5 3s7.5-1.3 7.5-3"/>',
    "chart": '<path d="M4 4v16h16M8.5 16.5v-4M13 16.5v-8M17.5 16.5v-6"/>',
    "compare": '<path d="M9.5 4.5H4v15h5.5M14.5 4.5H20v15h-5.5M12 2.5v19M6.5 13l2-3M15 15l3-6"/>',
    "container": '<rect x="3" y="7" width="18" height="11" rx="1.5"/><path d="M7.5 10v5M12 10v5M16.5 10v5"/>',
    "gears": '<circle cx="9.5" cy="10" r="3"/><circle cx="9.5" cy="10" r="5.5" stroke-dasharray="2.2 1.25"/>'
    '<circle cx="17.5" cy="17" r="1.6"/><circle cx="17.5" cy="17" r="3.5" stroke-dasharray="1.7 1.05"/>',
    "lock": '<rect x="5" y="11" width="14" height="9.5" rx="2"/><path d="M8 11V8a4 4 0 018 0v3M12 14.5v2.5"/>',
    "model": '<path d="M7.2 7.3l7.7 3.6M7.2 11.5h7.5M7.2 16.7l7.7-3.9"/><circle cx="5" cy="6.3" r="2.2"/>'
    '<circle cx="5" cy="17.7" r="2.2"/><circle cx="5" cy="12" r="1.6"/><circle cx="17.5" cy="12" r="3"/>',
    "module": '<path d="M9 7V6a2.5 2.5 0 015 0v1h4.5v4.5h-1a2.5 2.5 0 000 5h1V21H5v-4.5h1a2.5 2.5 0 000-5H5V7z"/>',
    "notebook": '<rect x="5" y="3" width="15" height="18" rx="2"/>'
    '<path d="M9 3v18M3 7.5h4M3 12h4M3 16.5h4M12.5 8h4M12.5 12h4"/>',
    "pictures": '<rect x="3" y="7" width="14" height="14" rx="2"/><path d="M7 3.5h12a2 2 0 012 2v12"/>'
    '<circle cx="10" cy="14" r="3.5"/><path d="M5.5 15.5c2.5 1.5 7 .5 9.5-2.5"/>',
    "report": '<path d="M6 3h12v18H6zM9 7h6M9 10.5h6M9.5 18v-2.5M12 18v-4.5M14.5 18v-1.5"/>',
    "script": '<path d="M6 3h9l4 4v14H6zM15 3v4h4M10.5 11.5L8.5 14l2 2.5M14 11.5l2 2.5-2 2.5"/>',
    "server": '<rect x="4" y="4" width="16" height="7" rx="1.5"/><rect x="4" y="13" width="16" height="7" rx="1.5"/>'
    '<path d="M7.5 7.5h.01M7.5 16.5h.01M11 7.5h6M11 16.5h6"/>',
    "settings": '<path d="M4 7h9M19 7h1M4 17h1M11 17h9"/>'
    '<circle cx="16" cy="7" r="2.8"/><circle cx="8" cy="17" r="2.8"/>',
    "tests": '<path d="M4 6.5l1.5 1.5 3-3M4 13l1.5 1.5 3-3M4 19.5L5.5 21l3-3M12 7h8M12 13.5h8M12 20h8"/>',
    "window": '<rect x="3" y="4" width="18" height="16" rx="2"/>'
    '<path d="M3 9h18M6 6.5h.1M8.8 6.5h.1M7 13h5M7 16.5h9"/>',
}
