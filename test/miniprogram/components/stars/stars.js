Component({
  properties: {
    label: { type: String, value: '' },
    value: { type: Number, value: 0 },
    min: { type: Number, value: 1 },
    max: { type: Number, value: 5 },
    readonly: { type: Boolean, value: false },
  },
  data: { steps: [] },
  observers: {
    'min, max': function (min, max) {
      const steps = []
      for (let step = min; step <= max; step++) steps.push(step)
      this.setData({ steps })
    },
  },
  methods: {
    pick(event) {
      if (!this.data.readonly)
        this.triggerEvent('change', { value: event.currentTarget.dataset.step })
    },
  },
})
