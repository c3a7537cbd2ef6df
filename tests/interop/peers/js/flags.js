'use strict';
// --name=value and --name value, as the other peers take them. Unknown flags are errors.

function parseFlags(defaults) {
  const flags = {...defaults};
  const words = process.argv.slice(2);
  while (words.length > 0) {
    const word = words.shift();
    const [, name, value] = /^--([^=]+)(?:=(.*))?$/s.exec(word) || [];
    if (name === undefined || !(name in defaults)) {
      console.error(`expected one of --${Object.keys(defaults).join(', --')}, got "${word}"`);
      process.exit(2);
    }
    const text = value === undefined ? words.shift() : value;
    flags[name] = typeof defaults[name] === 'number' ? Number(text) : text;
  }
  if (flags.use_tls !== 'false') {
    console.error(`--use_tls: expected false, got ${flags.use_tls}`);
    process.exit(2);
  }
  return flags;
}

module.exports = {parseFlags};
