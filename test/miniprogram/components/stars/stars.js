const STARS_MAX = 6
const NUMBERS_MAX = 21
const INTEGER = /^-?[0-9]+$/
const LEAST = -32768

// A grade: stars where they count from one to a few, numbers to tap where there are more, a field where there are many.
Component({
  properties: {
    label: { type: String, value: '' },
    // Less than any grade can be while none is given.
    value: { type: Number, value: 0 },
    min: { type: Number, value: 1 },
    max: { type: Number, value: 5 },
    readonly: { type: Boolean, value: false },
  },
  data: { kind: 'stars', steps: [], text: '' },
  observers: {
    'min, max': function (min, max) {
      if (max - min >= NUMBERS_MAX) return this.setData({ kind: 'field', steps: [] })
      const steps = []
      for (let step = min; step <= max; step++) steps.push(step)
      this.setData({ kind: min === 1 && max <= STARS_MAX ? 'stars' : 'numbers', steps })
    },
    value(value) {
      // Taken back by the page. What is half typed stays.
      if (value < LEAST && INTEGER.test(this.data.text)) this.setData({ text: '' })
    },
  },
  methods: {
    pick(event) {
      if (!this.data.readonly)
        this.triggerEvent('change', { value: event.currentTarget.dataset.step })
    },
    enter(event) {
      const text = event.detail.value.trim()
      this.setData({ text })
      // What is no number is passed on as it is, for the page to say so.
      const value = INTEGER.test(text) ? Number(text) : text
      this.triggerEvent('change', { value: text === '' ? null : value })
    },
  },
})
