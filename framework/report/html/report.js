// Sorting, filtering, copying, cards and the theme. The page is complete without any of it, so controls are made here.
(() => {
  'use strict';

  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };
  const button = (text, name, attributes = {}) => make('button', {type: 'button', class: name, ...attributes}, text);

  const said = make('p', {class: 'said', role: 'status'});
  document.body.append(said);
  const say = (text) => { said.textContent = text; };

  // --- copying

  const copy = async (text, from) => {
    let done = false;
    try {
      await navigator.clipboard.writeText(text);
      done = true;
    } catch {  // not allowed, or not known: the older way
      const area = make('textarea', {'aria-hidden': 'true', class: 'said'});
      area.value = text;
      document.body.append(area);
      area.select();
      done = document.execCommand('copy');
      area.remove();
      from.focus();
    }
    const label = from.textContent;
    if (from.dataset.busy) return;
    from.dataset.busy = 'yes';
    from.textContent = done ? 'Copied' : 'Could not copy';
    say(from.textContent);
    setTimeout(() => { from.textContent = label; delete from.dataset.busy; }, 1500);
  };

  for (const block of document.querySelectorAll('.block')) {
    const text = block.querySelector('pre'), name = block.querySelector('h3').textContent;
    const tool = button('Copy', 'tool', {'aria-label': `Copy ${name}`});
    tool.addEventListener('click', () => copy(text.textContent, tool));
    block.querySelector('h3').after(tool);
  }

  // --- cards: what a column means, beside its name. Pointing, focus or a click shows one; Escape closes it.

  const popover = make('div', {class: 'popover', id: 'popover', role: 'note', hidden: ''});
  document.body.append(popover);
  let shownBy = null, pinned = false, timer = 0;
  const hide = () => {
    clearTimeout(timer);
    if (shownBy) shownBy.setAttribute('aria-expanded', 'false');
    shownBy = null;
    pinned = false;
    popover.hidden = true;
  };
  const show = (about, pin) => {
    clearTimeout(timer);
    if (shownBy && shownBy !== about) hide();
    pinned = pin;
    shownBy = about;
    const card = document.getElementById(about.dataset.card);
    popover.replaceChildren(...[...card.children].map((child) => child.cloneNode(true)));
    popover.setAttribute('aria-label', about.getAttribute('aria-label'));
    popover.hidden = false;
    about.setAttribute('aria-expanded', 'true');
    const at = about.getBoundingClientRect(), below = innerHeight - at.bottom - 16, above = at.top - 16;
    popover.style.maxHeight = 'none';
    const size = popover.getBoundingClientRect(), up = size.height > below && above > below;
    popover.style.maxHeight = `${up ? above : below}px`;
    popover.style.left = `${Math.max(12, Math.min(at.left, innerWidth - size.width - 12))}px`;
    popover.style.top = up ? `${Math.max(8, at.top - size.height - 8)}px` : `${at.bottom + 8}px`;
  };
  const later = (action, delay) => { clearTimeout(timer); timer = setTimeout(action, delay); };
  popover.addEventListener('mouseenter', () => clearTimeout(timer));
  popover.addEventListener('mouseleave', () => { if (!pinned) later(hide, 200); });
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    hide();
    const menu = document.querySelector('.tools details[open]');
    if (menu) {
      menu.open = false;
      menu.querySelector('summary').focus();
    }
  });
  document.addEventListener('click', (event) => {
    if (shownBy && !popover.contains(event.target) && !shownBy.contains(event.target)) hide();
    for (const menu of document.querySelectorAll('.tools details[open]')) if (!menu.contains(event.target)) menu.open = false;
  });
  addEventListener('scroll', (event) => { if (event.target !== popover) hide(); }, {capture: true, passive: true});
  addEventListener('resize', hide);

  const addCard = (cell, inside, name) => {
    const id = cell.dataset.card;
    const about = button('i', 'about', {'aria-label': `What ${name} means`, 'aria-expanded': 'false', 'aria-describedby': id, 'data-card': id});
    about.addEventListener('click', () => { if (pinned && shownBy === about) hide(); else show(about, true); });
    about.addEventListener('focus', () => { if (about.matches(':focus-visible')) show(about, false); });
    about.addEventListener('blur', () => later(hide, 150));
    cell.addEventListener('mouseenter', () => { if (!pinned) later(() => show(about, false), 350); });
    cell.addEventListener('mouseleave', () => { if (!pinned) later(hide, 200); });
    inside.append(about);
  };

  // --- tables

  const compare = (column, descending) => (a, b) => {
    const x = a.cells[column], y = b.cells[column];
    const p = x.dataset.v, q = y.dataset.v;
    if (p !== undefined && q !== undefined) return (Number(p) - Number(q)) * (descending ? -1 : 1);
    if (p !== undefined || q !== undefined) return p !== undefined ? -1 : 1;  // what has no number stands last
    return x.textContent.localeCompare(y.textContent, 'en', {numeric: true}) * (descending ? -1 : 1);
  };

  const enhance = (table) => {
    const head = [...table.tHead.rows[0].cells], body = table.tBodies[0], rows = [...body.rows];
    const names = head.map((cell) => cell.getAttribute('aria-label') || cell.textContent);

    const sort = (column) => {
      const cell = head[column], first = cell.dataset.best === 'high' ? 'descending' : 'ascending';
      const other = first === 'ascending' ? 'descending' : 'ascending', now = cell.getAttribute('aria-sort');
      const next = now === first ? other : now === other ? null : first;  // best first, reversed, as it was
      for (const each of head) each.removeAttribute('aria-sort');
      if (next) cell.setAttribute('aria-sort', next);
      body.append(...(next ? [...rows].sort(compare(column, next === 'descending')) : rows));
      say(next ? `Sorted by ${names[column]}, ${next}` : 'In the order of the report');
    };
    head.forEach((cell, column) => {
      const tool = button(cell.textContent, 'sort', {title: 'Sort'});
      if (cell.hasAttribute('aria-label')) {
        tool.setAttribute('aria-label', names[column]);
        cell.removeAttribute('aria-label');
      }
      tool.addEventListener('click', () => { hide(); sort(column); });
      const inside = make('div', {}, tool);
      cell.replaceChildren(inside);
      if (cell.dataset.card) addCard(cell, inside, names[column]);
      inside.append(make('span', {class: 'mark', 'aria-hidden': 'true'}));
    });

    const region = table.parentElement, name = region.getAttribute('aria-label').replace(/^Table /, '');
    const tools = make('div', {class: 'tools', role: 'group', 'aria-label': `Tools for table ${name}`});
    const filter = make('input', {type: 'search', placeholder: 'Filter rows', 'aria-label': `Filter rows of ${name}`, spellcheck: 'false', autocomplete: 'off'});
    const count = make('span', {class: 'count', role: 'status'});
    const failed = button('Hide failed rows', 'tool', {'aria-pressed': 'false'});
    const nothing = make('p', {class: 'nothing faint', hidden: ''}, 'No row matches.');
    region.after(nothing);
    const apply = () => {
      const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      const noFailed = failed.getAttribute('aria-pressed') === 'true';
      let shown = 0;
      for (const row of rows) {
        const text = row.textContent.toLowerCase(), cells = [...row.cells].map((cell) => cell.textContent.toLowerCase());
        row.hidden = !words.every((word) => text.includes(word) && cells.some((cell) => cell.includes(word))) || (noFailed && row.classList.contains('failed'));
        if (!row.hidden) ++shown;
      }
      nothing.hidden = shown > 0;
      count.textContent = shown === rows.length ? `${rows.length} rows` : `${shown} of ${rows.length} rows`;
    };
    filter.addEventListener('input', apply);
    failed.addEventListener('click', () => {
      failed.setAttribute('aria-pressed', String(failed.getAttribute('aria-pressed') !== 'true'));
      apply();
    });
    if (rows.length > 1) tools.append(filter, count);
    if (rows.some((row) => row.classList.contains('failed'))) tools.append(failed);
    tools.append(columnChooser(names, head, rows));
    const copies = document.getElementById(table.dataset.copies);
    if (copies) {
      const group = make('span', {class: 'copies', role: 'group', 'aria-label': `Copy table ${name}`}, 'Copy as');
      for (const [format, text] of Object.entries(JSON.parse(copies.textContent))) {
        const tool = button(format, 'tool', {'aria-label': `Copy as ${format}`});
        tool.addEventListener('click', () => copy(text, tool));
        group.append(tool);
      }
      tools.append(group);
    }
    region.before(tools);
    apply();
  };

  const columnChooser = (names, head, rows) => {
    const choices = make('fieldset', {'aria-label': 'Columns to show'});
    names.forEach((name, column) => {
      if (rows.length > 0 && rows[0].cells[column].tagName === 'TH') return;  // a row without its name says nothing
      const box = make('input', {type: 'checkbox'});
      box.checked = true;
      box.addEventListener('change', () => { for (const cell of [head[column], ...rows.map((row) => row.cells[column])]) cell.hidden = !box.checked; });
      choices.append(make('label', {}, box, ` ${name}`));
    });
    return make('details', {}, make('summary', {}, 'Columns'), choices);
  };

  document.querySelectorAll('table.sortable').forEach(enhance);

  // --- theme: what the system says, unless chosen otherwise; remembered where the browser allows it for files

  const themes = ['auto', 'light', 'dark'];
  const toggle = button('', 'theme');
  const setTheme = (theme) => {
    if (theme === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    toggle.textContent = `Theme: ${theme}`;
    try { localStorage.setItem('segue-theme', theme); } catch { /* not for this file */ }
  };
  const theme = () => document.documentElement.dataset.theme || 'auto';
  toggle.addEventListener('click', () => setTheme(themes[(themes.indexOf(theme()) + 1) % themes.length]));
  document.querySelector('header').append(toggle);
  let remembered = null;
  try { remembered = localStorage.getItem('segue-theme'); } catch { /* the same */ }
  setTheme(themes.includes(remembered) ? remembered : 'auto');

  // --- paper shows what is folded

  let opened = [];
  addEventListener('beforeprint', () => {
    hide();
    opened = [...document.querySelectorAll('main details:not([open])')].filter((each) => !each.closest('.tools'));
    for (const each of opened) each.open = true;
  });
  addEventListener('afterprint', () => { for (const each of opened) each.open = false; opened = []; });
})();
