/** A layer of `nn` as JSON says it: the name of its function there, and its arguments. */
export interface LayerSpec {
  /** Name of the function in `nn`: 'linear', 'relu', 'sequential', ... */
  readonly layer: string;
  /** Its name among the layers of a sequential model, where it has one: the first part of its weights' names. */
  readonly name?: string;
  /** Its arguments by name, such as inFeatures and outFeatures; `layers` of 'sequential' is a list of such layers. */
  readonly [argument: string]: unknown;
}
