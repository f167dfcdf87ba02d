#!/usr/bin/env node
// The verifier alone, by the launcher that finds a Node that is new enough.
'use strict';
process.argv.splice(2, 0, '--script', require('node:path').join(__dirname, 'verify.ts'));
require('./launch.cjs');
