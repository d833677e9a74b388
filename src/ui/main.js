
/* Which viewer shows an answer, and what stands there until one comes. */

function textOf(result) {
  return (result.content || []).filter((part) => part?.type === 'text').map((part) => String(part.text)).join('\n');
}

/* `target`: what was asked for, as far as it is known. */
function viewFor(bridge, result, target) {
  const data = result.structuredContent || {};
  const kind = data.kind === 'file' ? viewerOf(data.path) : data.kind;
  const make = own(VIEWERS, kind);
  if (make)
    return make(bridge, data);
  return VIEWERS.text(bridge, { title: target || 'scout', text: textOf(result), isDifference: kind === 'diff' });
}

function messageView(title, text, isBad) {
  return { nodes: [
    headOf({ iconName: isBad ? 'warning' : 'host', mark: isBad ? '⚠' : '…', title, subtitle: isBad ? 'Error' : 'Scout' }),
    isBad ? noticeOf(text, true) : el('p', { class: 'empty' }, ...shown(text)),
  ] };
}

function startView() {
  const view = document.getElementById('view');
  const data = JSON.parse(document.getElementById('data').textContent);
  let onKey;
  let asked = '';

  function show({ nodes, onKey: keys }) {
    const hadFocus = view.contains(document.activeElement);
    view.replaceChildren(...nodes);
    view.setAttribute('aria-busy', 'false');
    onKey = keys;
    if (hadFocus) /* who walks with the keyboard goes on where they are */
      (view.querySelector('#rows button.link') || view.querySelector('.content'))?.focus({ preventScroll: true });
    bridge.resized();
  }

  /* An error leaves what is there where it is, when something is. */
  function showError(text, target) {
    if (!view.querySelector('.content')) {
      show(messageView(target || 'scout', text, true));
      return;
    }
    view.querySelector('.notice.bad')?.remove();
    view.querySelector('.content').before(noticeOf(text, true));
    view.setAttribute('aria-busy', 'false');
    bridge.resized();
  }

  const events = {
    onBusy() {
      view.setAttribute('aria-busy', 'true');
    },
    onInput(args) {
      asked = typeof args.target === 'string' ? args.target : 'scout';
      show(messageView(asked, 'Looking …'));
    },
    onResult(result, target) {
      if (result?.isError)
        showError(textOf(result) || 'It failed.', target || asked);
      else
        show(viewFor(bridge, result || {}, target || asked));
    },
    onCancelled(reason) {
      showError(`Cancelled${typeof reason === 'string' && reason ? `: ${reason}` : ''}`, asked);
    },
    onError(text, target) {
      showError(text, target || asked);
    },
  };
  const bridge = data === null ? new AppBridge(events) : embeddedBridge();
  document.addEventListener('keydown', (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey)
      onKey?.(event);
  });
  if (data !== null)
    show(viewFor(bridge, { structuredContent: data }, ''));
}

startView();
