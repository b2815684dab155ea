const { createClient } = require('miniscore-client')
const { baseUrl } = require('./config.js')

App({
  client: createClient({ baseUrl }),
  // The account of the result page. Not in the page's path: paths end up in statistics.
  account: '',
})
