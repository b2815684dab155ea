// What a page shows for an error of the client: `state` is one of those that the notice component draws.
function stateOf(error) {
  if (error.code === 'signed-out') return 'signed-out'
  if (error.code === 'network') return 'offline'
  if (error.status === 429) return 'busy'
  return 'failed'
}

// The message, with the time to wait where the server told it.
function messageOf(error) {
  const seconds = error.retryAfterSeconds
  return seconds ? `${error.message}（${seconds} 秒后）` : error.message
}

module.exports = { stateOf, messageOf }
