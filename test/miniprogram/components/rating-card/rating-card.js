const states = { pending: '审核中，仅自己可见', hidden: '已隐藏' }

function twoDigits(number) {
  return `${number}`.padStart(2, '0')
}

// In the phone's own time zone.
function timeOf(iso) {
  const time = new Date(iso)
  const day = [time.getFullYear(), time.getMonth() + 1, time.getDate()].map(twoDigits).join('-')
  return `${day} ${[time.getHours(), time.getMinutes()].map(twoDigits).join(':')}`
}

Component({
  properties: {
    form: { type: Object, value: {} },
    rating: { type: Object, value: {} },
    showsAccount: { type: Boolean, value: false },
  },
  data: { grades: [], texts: [], time: '', note: '' },
  observers: {
    'form, rating': function (form, rating) {
      if (!form?.grades || !rating?.id) return
      this.setData({
        grades: form.grades
          .map(({ name, label, min, max }) => ({ name, label, min, max, value: rating[name] }))
          .filter(({ value }) => value !== null),
        texts: form.texts
          .map(({ name, label }) => ({ name, label, text: rating[name] }))
          .filter(({ text }) => text),
        time: timeOf(rating.insert_time),
        note: states[rating.state] || '',
      })
    },
  },
})
