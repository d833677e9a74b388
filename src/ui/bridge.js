
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
class AppBridge {
  constructor(events) {
    Object.assign(this, { events, canOpen: false, hasLinks: false, context: {}, waiting: new Map(), lastId: 0, lastTurn: 0, lastSize: '' });
    this.notifications = {
      'ui/notifications/tool-input': (params) => events.onInput(params.arguments || {}),
      'ui/notifications/tool-result': (params) => events.onResult(params),
      'ui/notifications/tool-cancelled': (params) => events.onCancelled(params.reason),
      'ui/notifications/host-context-changed': (params) => this.takeContext(params),
    };
    document.documentElement.dataset.height = 'free';
    window.addEventListener('message', (event) => this.onMessage(event));
    this.start().catch((error) => events.onError(error.message));
  }

  async start() {
    const answer = await this.request('ui/initialize', { protocolVersion: APP_PROTOCOL, appInfo: { name: 'scout', version: '1' },
      appCapabilities: { availableDisplayModes: ['inline', 'fullscreen'] } });
    this.canOpen = Boolean(answer?.hostCapabilities?.serverTools);
    this.hasLinks = Boolean(answer?.hostCapabilities?.openLinks);
    this.takeContext(answer?.hostContext || {});
    this.post({ method: 'ui/notifications/initialized', params: {} });
    new ResizeObserver(() => this.resized()).observe(document.body);
  }

  /* ---- messages ---- */

  post(message) {
    window.parent.postMessage({ jsonrpc: '2.0', ...message }, '*');
  }

  request(method, params) {
    return new Promise((resolve, reject) => {
      this.waiting.set(++this.lastId, { resolve, reject });
      this.post({ id: this.lastId, method, params });
    });
  }

  onMessage(event) {
    const message = event.data;
    if (event.source !== window.parent || message?.jsonrpc !== '2.0')
      return;
    if (message.method === undefined)
      this.onAnswer(message);
    else if (message.id !== undefined)
      this.onRequest(message);
    else
      own(this.notifications, message.method)?.(message.params || {});
  }

  onAnswer({ id, result, error }) {
    const asked = this.waiting.get(id);
    this.waiting.delete(id);
    if (error)
      asked?.reject(new Error(String(error.message)));
    else
      asked?.resolve(result);
  }

  onRequest({ id, method }) {
    const known = method === 'ping' || method === 'ui/resource-teardown';
    this.post(known ? { id, result: {} } : { id, error: { code: -32601, message: 'Method not found' } });
  }

  /* ---- what a person does ---- */

  /* Of several that were asked for one after the other, the last one is shown. */
  async open(target) {
    const turn = ++this.lastTurn;
    this.events.onBusy();
    const tell = await this.request('tools/call', { name: 'scout', arguments: { target } }).then(
      (result) => () => this.events.onResult(result, target), (error) => () => this.events.onError(error.message, target));
    if (turn === this.lastTurn)
      tell();
  }

  openLink(url) {
    if (this.hasLinks)
      this.request('ui/open-link', { url }).catch(() => {});
  }

  /* ---- the place that the page has ---- */

  /* Each change has only what changed. */
  takeContext(changes) {
    this.context = { ...this.context, ...changes };
    applyHostContext(this.context);
  }

  resized() {
    const { width, height } = document.body.getBoundingClientRect();
    const size = { width: Math.ceil(width), height: Math.ceil(height) };
    if (document.documentElement.dataset.height === 'fixed' || this.lastSize === `${size.width} ${size.height}`)
      return;
    this.lastSize = `${size.width} ${size.height}`;
    this.post({ method: 'ui/notifications/size-changed', params: size });
  }
}
