'use strict'
// Not tsx's scoped `require`: that marks every file it loads, and esbuild could no longer find its own program.
require('tsx/cjs/api').register()
module.exports = require('./plugin.ts').TencentProvider
