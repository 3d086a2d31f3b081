import { ReferenceBackend } from '../backend/reference/backend.ts';
import type { Provider } from '../scheduler/choose/choose.ts';

export const reference: Provider = {
  name: 'reference',
  create: async () => new ReferenceBackend(),
  probe: async () => ({ available: true, description: new ReferenceBackend().description }),
};
