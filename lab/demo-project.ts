/** Small, without dependencies, and with one test that fails: rounding each line instead of the sum. */
export const demoFiles: Readonly<Record<string, string>> = {
  'package.json': `{
  "name": "demo",
  "version": "1.0.0",
  "private": true,
  "type": "module",
  "scripts": {
    "test": "node --test",
    "slow": "node scripts/slow.js",
    "stamp": "node scripts/stamp.js"
  }
}
`,
  'README.md': `# demo

A basket that adds up prices. One of its tests fails.

- \`npm test\` runs the tests
- \`npm run slow\` counts to 120, one number a second
- \`npm run stamp\` changes a file
`,
  'src/basket.js': `/** Sum of the basket in cents, with the discount (0 to 1) taken off. */
export function total(lines, discount = 0) {
  let sum = 0;
  for (const { cents, count } of lines) {
    sum += Math.round(cents * count * (1 - discount));
  }
  return sum;
}

export function describe(lines) {
  return lines.map(({ name, count }) => \`\${count} x \${name}\`).join(', ');
}
`,
  'test/basket.test.js': `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describe, total } from '../src/basket.js';

const tea = { name: 'tea', cents: 333, count: 1 };
const cup = { name: 'cup', cents: 999, count: 1 };

test('an empty basket costs nothing', () => {
  assert.equal(total([]), 0);
});

test('prices add up', () => {
  assert.equal(total([tea, { ...cup, count: 2 }]), 2331);
});

test('a basket can be told', () => {
  assert.equal(describe([tea, cup]), '1 x tea, 1 x cup');
});

test('the discount is taken off the sum', () => {
  assert.equal(total([tea, tea, tea], 0.5), 500);
});
`,
  'scripts/slow.js': `import { setTimeout as sleep } from 'node:timers/promises';

for (let n = 1; n <= 120; n += 1) {
  console.log(\`step \${n} of 120\`);
  await sleep(1000);
}
`,
  'scripts/stamp.js': `import { appendFileSync } from 'node:fs';

appendFileSync('README.md', \`\\nStamped at \${new Date().toISOString()}.\\n\`);
console.log('README.md is stamped');
`,
};
