// Builds what is shipped: the package's modules with their types, and one archive of functions for each role.
import { bundleOf, report } from '../cdk/bundle.ts';
import { compile } from './pack.ts';

compile();
for (const role of ['coordinator', 'processor', 'signing-service'] as const) console.log(report(bundleOf(role)));
