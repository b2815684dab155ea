/** What the runtime is given of a page or a component. */
export interface CompiledComponent {
  /** `pages/rate/rate` */
  path: string
  isPage: boolean
  /** The JSON file, with the app's components among its own. */
  config: { usingComponents: Record<string, string>; navigationBarTitleText?: string }
  style: string
  /** Before each of its class names, so that its style stays its own; a page has none. */
  classPrefix: string
}
