/** The demo's workers, for whoever wants to run them elsewhere. */
export { chargeCard, RenderReport, ResizeImage } from './workers.js';
