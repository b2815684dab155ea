/** `input`, `textarea` and `button` as a mini program sees them: a value by attribute, events with `detail.value`. */

/** What glass-easel hangs on the elements it made. */
interface GlassEaselElement extends HTMLElement {
  __wxElement?: { triggerEvent(name: string, detail: object, options: object): void }
}

const bubbling = { bubbles: true, composed: true }

/** Registers the elements. */
export function defineControls(): void {
  customElements.define('wx-input', textControl('input'))
  customElements.define('wx-textarea', textControl('textarea'))
  customElements.define('wx-button', buttonControl())
}

function textControl(tag: 'input' | 'textarea') {
  return class extends HTMLElement {
    static observedAttributes = ['value', 'placeholder', 'maxlength', 'type', 'aria-label']
    #field: HTMLInputElement | HTMLTextAreaElement | undefined

    connectedCallback(): void {
      if (this.#field) return
      const field = document.createElement(tag)
      this.#field = field
      for (const name of textAttributes)
        this.attributeChangedCallback(name, null, this.getAttribute(name))
      this.append(field)
      field.addEventListener('input', (event) => {
        event.stopPropagation()
        const own = (this as GlassEaselElement).__wxElement
        own?.triggerEvent('input', { value: field.value, cursor: field.selectionStart }, bubbling)
      })
    }

    attributeChangedCallback(name: string, _before: string | null, value: string | null): void {
      const field = this.#field
      if (!field) return
      if (name === 'value') {
        if (field.value !== (value ?? '')) field.value = value ?? ''
      } else if (name === 'type') field.inputMode = value === 'number' ? 'numeric' : 'text'
      else if (value === null || (name === 'maxlength' && value === '-1'))
        field.removeAttribute(name)
      else field.setAttribute(name, value)
    }
  }
}

const textAttributes = ['value', 'placeholder', 'maxlength', 'type', 'aria-label']

/** A phone button asks the platform; all others are tapped like any element. */
function buttonControl() {
  return class extends HTMLElement {
    connectedCallback(): void {
      this.setAttribute('role', 'button')
      this.addEventListener('click', () => {
        if (this.getAttribute('open-type') !== 'getPhoneNumber' || this.hasAttribute('disabled'))
          return
        const own = (this as GlassEaselElement).__wxElement
        fetch('sim/phone-code', {
          method: 'POST',
          body: new URLSearchParams(location.search).get('person'),
        })
          .then((answer) => answer.json())
          .then(
            ({ code }: { code: string }) =>
              own?.triggerEvent('getphonenumber', { code, errMsg: 'getPhoneNumber:ok' }, bubbling),
            () => own?.triggerEvent('getphonenumber', { errMsg: 'getPhoneNumber:fail' }, bubbling),
          )
      })
    }
  }
}
