package dev.wukong.serving.inference;

import com.google.protobuf.ByteString;
import dev.wukong.data.DataException;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.proto.inference.InferParameter;
import dev.wukong.proto.inference.ModelInferRequest;
import dev.wukong.proto.inference.ModelInferRequest.InferRequestedOutputTensor;
import dev.wukong.proto.inference.ModelInferResponse;
import dev.wukong.proto.inference.ModelInferResponse.InferOutputTensor;
import dev.wukong.proto.v1.Criticality;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.PredictResponse;
import dev.wukong.serving.inference.FeatureTensors.Spec;
import dev.wukong.serving.predict.CriticalityClass;
import dev.wukong.serving.predict.PredictLimits;
import dev.wukong.text.ShownText;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Requests of the protocol as Predict takes them, and its answers as the protocol has them. */
final class InferenceTranslation {
  private InferenceTranslation() {}

  /**
   * The outputs that {@code request} wants: all where it names none.
   *
   * @throws DataException if it names one that no model has
   */
  static Set<Output> outputs(ModelInferRequest request) {
    if (request.getOutputsCount() == 0) {
      return EnumSet.allOf(Output.class);
    }
    Set<Output> wanted = EnumSet.noneOf(Output.class);
    for (InferRequestedOutputTensor tensor : request.getOutputsList()) {
      wanted.add(output(tensor.getName()));
    }
    return wanted;
  }

  private static Output output(String name) {
    for (Output output : Output.values()) {
      if (output.key().equals(name)) {
        return output;
      }
    }
    throw new DataException(
        "outputs: there is no '%s'; the model has %s".formatted(ShownText.of(name), Output.NAMES));
  }

  /**
   * {@code envelope} with the candidates and contexts of {@code request}, by {@code schema}.
   *
   * @throws DataException if its tensors do not fit, or have more rows than {@code limits} allow
   */
  static PredictRequest.Builder complete(
      PredictRequest envelope, ModelInferRequest request, Schema schema, PredictLimits limits) {
    InferenceTensors tensors = new InferenceTensors(request);
    int candidates = rows(tensors, schema, Scope.CANDIDATE);
    if (candidates == 0) {
      throw new DataException("inputs: there is no tensor of the candidates' features");
    }
    limits.requireCandidates(candidates);
    PredictRequest.Builder translated =
        envelope.toBuilder()
            .setCriticality(criticality(request.getParametersMap()))
            .setCandidates(
                new BlockTranslation(tensors, schema, Scope.CANDIDATE, candidates).block());
    if (schema.hasContext()) {
      int contexts = Math.max(1, rows(tensors, schema, Scope.CONTEXT));
      limits.requireContexts(contexts);
      translated
          .setContext(new BlockTranslation(tensors, schema, Scope.CONTEXT, contexts).block())
          .setContextOf(contextOf(tensors, contexts, candidates));
    }
    tensors.requireAllUsed(
        FeatureTensors.of(schema).stream()
            .map(Spec::name)
            .collect(Collectors.toCollection(TreeSet::new)));
    return translated;
  }

  /** Rows of the scope's first tensor, which are those of all; 0 where it has none. */
  private static int rows(InferenceTensors tensors, Schema schema, Scope scope) {
    for (String name : FeatureTensors.names(schema, scope)) {
      int rows = tensors.rows(name);
      if (rows > 0) {
        return rows;
      }
    }
    return 0;
  }

  /** Of no bytes where there is one context; each candidate's own where none are given. */
  private static ByteString contextOf(InferenceTensors tensors, int contexts, int candidates) {
    InferenceTensors.Values of = tensors.find(FeatureTensors.CONTEXT_OF, Datatype.INT32);
    if (of != null) {
      return of.bytes();
    }
    if (contexts == 1) {
      return ByteString.EMPTY;
    }
    if (contexts != candidates) {
      throw new DataException(
          "inputs: '%s' is missing: there are %d contexts and %d candidates"
              .formatted(FeatureTensors.CONTEXT_OF, contexts, candidates));
    }
    ByteBuffer own =
        ByteBuffer.allocate(Datatype.INT32.size() * candidates).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < candidates; i++) {
      own.putInt(i);
    }
    return ByteString.copyFrom(own.flip());
  }

  private static Criticality criticality(Map<String, InferParameter> parameters) {
    InferParameter given = parameters.get("criticality");
    if (given == null) {
      return Criticality.CRITICALITY_NORMAL;
    }
    return CriticalityClass.parse(given.getStringParam())
        .orElseThrow(
            () ->
                new DataException(
                    "parameters: criticality is '%s'; %s are allowed"
                        .formatted(
                            ShownText.of(given.getStringParam()), CriticalityClass.ALLOWED)));
  }

  /**
   * The answer to the request called {@code id}.
   *
   * @param wanted outputs, which {@code scored} has
   */
  static ModelInferResponse response(String id, PredictResponse scored, Set<Output> wanted) {
    ModelInferResponse.Builder response =
        ModelInferResponse.newBuilder()
            .setModelName(scored.getModel())
            .setModelVersion(Long.toString(scored.getVersion().getBundle()))
            .setId(id)
            .putParameters("defaulted_ids", number(scored.getQuality().getDefaultedIds()))
            .putParameters("missing_values", number(scored.getQuality().getMissingValues()));
    int tasks = scored.getTasksCount();
    for (Output output : wanted) {
      ByteString values = output.of(scored);
      response
          .addOutputs(
              InferOutputTensor.newBuilder()
                  .setName(output.key())
                  .setDatatype(Datatype.FP32.name())
                  .addShape(values.size() / ((long) Datatype.FP32.size() * tasks))
                  .addShape(tasks))
          .addRawOutputContents(values);
    }
    return response.build();
  }

  private static InferParameter number(long value) {
    return InferParameter.newBuilder().setInt64Param(value).build();
  }
}
