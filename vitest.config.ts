import { defineConfig } from 'vitest/config';

/** Examples name the package, as its users do; here that is the source. */
const alias = [
  { find: /^quorate$/, replacement: `${import.meta.dirname}/src/index.ts` },
  { find: /^quorate\/testing$/, replacement: `${import.meta.dirname}/src/testing/index.ts` },
];

/** unit: pure or in-memory, run by `check`. integration: real sockets, files and processes, and the examples. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/integration/**'],
          testTimeout: 30_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts', 'examples/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
