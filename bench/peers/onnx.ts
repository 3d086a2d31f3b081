import protobuf from 'protobufjs';

/** As much of ONNX's schema (onnx.proto3, IR version 10) as the benchmark's models need. */
const root = protobuf.Root.fromJSON({
  nested: {
    Model: {
      fields: {
        irVersion: { type: 'int64', id: 1 },
        graph: { type: 'Graph', id: 7 },
        opsetImport: { rule: 'repeated', type: 'Opset', id: 8 },
      },
    },
    Opset: { fields: { domain: { type: 'string', id: 1 }, version: { type: 'int64', id: 2 } } },
    Graph: {
      fields: {
        node: { rule: 'repeated', type: 'Node', id: 1 },
        name: { type: 'string', id: 2 },
        initializer: { rule: 'repeated', type: 'Tensor', id: 5 },
        input: { rule: 'repeated', type: 'Value', id: 11 },
        output: { rule: 'repeated', type: 'Value', id: 12 },
      },
    },
    Node: {
      fields: {
        input: { rule: 'repeated', type: 'string', id: 1 },
        output: { rule: 'repeated', type: 'string', id: 2 },
        opType: { type: 'string', id: 4 },
        attribute: { rule: 'repeated', type: 'Attribute', id: 5 },
        domain: { type: 'string', id: 7 },
      },
    },
    Attribute: {
      fields: {
        name: { type: 'string', id: 1 },
        i: { type: 'int64', id: 3 },
        type: { type: 'int32', id: 20 },
      },
    },
    Tensor: {
      fields: {
        dims: { rule: 'repeated', type: 'int64', id: 1 },
        dataType: { type: 'int32', id: 2 },
        name: { type: 'string', id: 8 },
        rawData: { type: 'bytes', id: 9 },
      },
    },
    Value: { fields: { name: { type: 'string', id: 1 }, type: { type: 'Type', id: 2 } } },
    Type: { fields: { tensorType: { type: 'TensorType', id: 1 } } },
    TensorType: { fields: { elemType: { type: 'int32', id: 1 }, shape: { type: 'Shape', id: 2 } } },
    Shape: { fields: { dim: { rule: 'repeated', type: 'Dimension', id: 1 } } },
    Dimension: { fields: { dimValue: { type: 'int64', id: 1 } } },
  },
});

const types = { f32: 1, u8: 2, i8: 3, i32: 6 } as const;
type DType = keyof typeof types;
const INT_ATTRIBUTE = 2;
const CONTRIB = 'com.microsoft';

export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attrs?: Record<string, number>;
  /** One of onnxruntime's own operators. */
  readonly contrib?: boolean;
}

export interface OnnxValue {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

export interface OnnxGraph {
  readonly inputs: Record<string, OnnxValue>;
  readonly outputs: Record<string, OnnxValue>;
  readonly constants: Record<string, OnnxValue & { readonly data: ArrayBufferView }>;
  readonly nodes: readonly OnnxNode[];
}

const values = (list: Record<string, OnnxValue>) =>
  Object.entries(list).map(([name, { dtype, shape }]) => ({
    name,
    type: { tensorType: { elemType: types[dtype], shape: { dim: shape.map((dimValue) => ({ dimValue })) } } },
  }));

/** A model as the bytes of an .onnx file. */
export function onnxModel({ inputs, outputs, constants, nodes }: OnnxGraph): Uint8Array {
  const Model = root.lookupType('Model');
  const graph = {
    name: 'benchmark',
    node: nodes.map(({ op, inputs, output, attrs = {}, contrib }) => ({
      ...{ input: inputs, output: [output], opType: op, domain: contrib ? CONTRIB : '' },
      attribute: Object.entries(attrs).map(([name, i]) => ({ name, i, type: INT_ATTRIBUTE })),
    })),
    initializer: Object.entries(constants).map(([name, { dtype, shape, data }]) => ({
      ...{ name, dims: shape, dataType: types[dtype] },
      rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    })),
    input: values(inputs),
    output: values(outputs),
  };
  const opsetImport = [
    { domain: '', version: 20 },
    { domain: CONTRIB, version: 1 },
  ];
  return Model.encode(Model.fromObject({ irVersion: 10, graph, opsetImport })).finish();
}
