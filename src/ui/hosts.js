
/* The list of hosts. */

function hostRow(bridge, host) {
  const state = host.online === undefined ? el('span', { class: 'quiet' }, '-')
    : el('span', { class: host.online ? 'online' : 'offline' }, host.online ? '● online' : '○ offline');
  return el('tr', {},
    el('td', {}, el('div', { class: 'name' }, icon('host'), el('span', {}, opener(bridge, `${host.name}:~/`, ...shownName(host.name)),
      el('span', { class: 'more quiet' }, ...shownName(`${host.user}@${host.hostname}:${host.port}`))))),
    el('td', { class: 'mode' }, ...shownName(`${host.user}@${host.hostname}:${host.port}`)),
    el('td', {}, state));
}

function groupRow(bridge, group) {
  return el('tr', {},
    el('td', {}, el('div', { class: 'name' }, icon('host'), el('span', {}, opener(bridge, `hosts ${group.pattern}`, ...shownName(group.name))))),
    el('td', { class: 'mode' }, `${group.count} hosts`), el('td', {}));
}

function hostsView(bridge, data) {
  const rows = [...(data.groups || []).map((group) => groupRow(bridge, group)), ...(data.hosts || []).map((host) => hostRow(bridge, host))];
  const head = el('thead', {}, el('tr', {}, ...['Host', 'Address', 'State'].map((label, index) =>
    el('th', { scope: 'col', class: index === 1 ? 'mode' : '' }, el('span', {}, label)))));
  const online = data.online === undefined ? '' : `, ${data.online} online`;
  return { nodes: [
    headOf({ iconName: 'host', mark: '🖥', title: 'Hosts', subtitle: 'Available hosts' }),
    contentOf('Hosts', el('table', { class: 'names' }, head, el('tbody', {}, ...rows)),
      rows.length === 0 ? el('p', { class: 'empty' }, 'No SSH hosts configured.') : undefined),
    el('footer', { class: 'foot' }, el('span', {}, `${data.count} hosts${online}`)),
  ] };
}

VIEWERS.hosts = hostsView;
