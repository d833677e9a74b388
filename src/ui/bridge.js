
/* The way to whoever shows the page, in two forms.
 *
 * Embedded: the page came with its data as a result of the tool. It listens to nobody; what a person
 * chooses is posted to the parent window as {type, payload}.
 *
 * App (MCP Apps, SEP-1865): the page came empty as a resource. It speaks JSON-RPC with the parent
 * window: ui/initialize, then it is told the tool's input and result, and calls tools itself. */

const APP_PROTOCOL = '2026-01-26';
const LOADS = /url|image|\\/i; /* values that would have the browser look for something */
const HOST_VARIABLE = /^--(color|font|border|shadow)-[a-z0-9-]+$/;

function embeddedBridge() {
  const post = (type, payload) => window.parent.postMessage({ type, payload }, '*');
  return {
    canOpen: true,
    open(target) { post('tool', { toolName: 'scout', params: { target } }); },
    openLink(url) { post('link', { url }); },
    resized() {},
  };
}

/* Each change of the context has only what changed. */
function hostContextKeeper() {
  let context = {};
  return (changes) => {
    context = { ...context, ...changes };
    applyHostContext(context);
  };
}

function applyHostContext(context) {
  const root = document.documentElement;
  if (context.theme === 'light' || context.theme === 'dark')
    root.dataset.theme = context.theme;
  for (const [name, value] of Object.entries(context.styles?.variables || {}))
    if (HOST_VARIABLE.test(name) && typeof value === 'string' && !LOADS.test(value))
      root.style.setProperty(name, value);
  const box = context.containerDimensions || {};
  root.dataset.height = 'height' in box || context.displayMode === 'fullscreen' ? 'fixed' : 'free';
  if (box.maxHeight > 0)
    root.style.setProperty('--view-height', `${box.maxHeight}px`);
}

/* `events`: onBusy(), onInput(arguments), onResult(result, target), onCancelled(reason),
   onError(text, target); the target where the page itself asked for it. */
function appBridge(events) {
  const waiting = new Map();
  let lastId = 0;
  let lastTurn = 0;
  let lastSize = '';
  const bridge = { canOpen: false, hasLinks: false };
  const takeContext = hostContextKeeper();
  const post = (message) => window.parent.postMessage({ jsonrpc: '2.0', ...message }, '*');
  const request = (method, params) => new Promise((resolve, reject) => {
    waiting.set(++lastId, { resolve, reject });
    post({ id: lastId, method, params });
  });
  const notifications = {
    'ui/notifications/tool-input': (params) => events.onInput(params.arguments || {}),
    'ui/notifications/tool-result': (params) => events.onResult(params),
    'ui/notifications/tool-cancelled': (params) => events.onCancelled(params.reason),
    'ui/notifications/host-context-changed': takeContext,
  };

  function onAnswer({ id, result, error }) {
    const asked = waiting.get(id);
    waiting.delete(id);
    if (error)
      asked?.reject(new Error(String(error.message)));
    else
      asked?.resolve(result);
  }

  function onRequest({ id, method }) {
    const known = method === 'ping' || method === 'ui/resource-teardown';
    post(known ? { id, result: {} } : { id, error: { code: -32601, message: 'Method not found' } });
  }

  function onMessage(event) {
    const message = event.data;
    if (event.source !== window.parent || message?.jsonrpc !== '2.0')
      return;
    if (message.method === undefined)
      onAnswer(message);
    else if (message.id !== undefined)
      onRequest(message);
    else
      own(notifications, message.method)?.(message.params || {});
  }

  /* Of several that were asked for one after the other, the last one is shown. */
  bridge.open = async (target) => {
    const turn = ++lastTurn;
    events.onBusy();
    const tell = await request('tools/call', { name: 'scout', arguments: { target } }).then(
      (result) => () => events.onResult(result, target), (error) => () => events.onError(error.message, target));
    if (turn === lastTurn)
      tell();
  };
  bridge.openLink = (url) => {
    if (bridge.hasLinks)
      request('ui/open-link', { url }).catch(() => {});
  };
  bridge.resized = () => {
    const { width, height } = document.body.getBoundingClientRect();
    const size = { width: Math.ceil(width), height: Math.ceil(height) };
    if (document.documentElement.dataset.height === 'fixed' || lastSize === `${size.width} ${size.height}`)
      return;
    lastSize = `${size.width} ${size.height}`;
    post({ method: 'ui/notifications/size-changed', params: size });
  };

  async function start() {
    document.documentElement.dataset.height = 'free';
    window.addEventListener('message', onMessage);
    const answer = await request('ui/initialize', { protocolVersion: APP_PROTOCOL,
      appInfo: { name: 'scout', version: '1' },
      appCapabilities: { availableDisplayModes: ['inline', 'fullscreen'] } });
    bridge.canOpen = Boolean(answer?.hostCapabilities?.serverTools);
    bridge.hasLinks = Boolean(answer?.hostCapabilities?.openLinks);
    takeContext(answer?.hostContext || {});
    post({ method: 'ui/notifications/initialized', params: {} });
    new ResizeObserver(bridge.resized).observe(document.body);
  }

  start().catch((error) => events.onError(error.message));
  return bridge;
}
