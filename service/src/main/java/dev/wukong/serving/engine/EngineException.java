package dev.wukong.serving.engine;

import ai.onnxruntime.OrtException;
import dev.wukong.bundle.BundleException;
import dev.wukong.runtime.device.GraphException;

/** A graph could not be loaded or run; the message says what was tried. */
public final class EngineException extends RuntimeException {
  private final boolean passing;

  EngineException(String message) {
    super(message);
    this.passing = false;
  }

  EngineException(String message, BundleException cause) {
    super(message, cause);
    this.passing = false;
  }

  EngineException(String message, GraphException cause) {
    super(message, cause);
    this.passing = cause.passing();
  }

  EngineException(String message, OrtException cause) {
    super(message, cause);
    this.passing =
        switch (cause.getCode()) {
          // What ran out, mostly: memory here or on the device.
          case ORT_RUNTIME_EXCEPTION, ORT_ENGINE_ERROR, ORT_EP_FAIL, ORT_DEVICE_RESET -> true;
          case ORT_JAVA_UNKNOWN,
              ORT_OK,
              ORT_FAIL,
              ORT_INVALID_ARGUMENT,
              ORT_NO_SUCHFILE,
              ORT_NO_MODEL,
              ORT_INVALID_PROTOBUF,
              ORT_MODEL_LOADED,
              ORT_NOT_IMPLEMENTED,
              ORT_INVALID_GRAPH,
              ORT_MODEL_LOAD_CANCELED,
              ORT_MODEL_REQUIRES_COMPILATION,
              ORT_NOT_FOUND ->
              false;
        };
  }

  /** Whether the same may work later: the engine had not what it needed. */
  public boolean passing() {
    return passing;
  }
}
