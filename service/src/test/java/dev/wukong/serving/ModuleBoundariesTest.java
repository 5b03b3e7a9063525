package dev.wukong.serving;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.name;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The boundaries between modules and packages. */
@AnalyzeClasses(packages = "dev.wukong", importOptions = DoNotIncludeTests.class)
class ModuleBoundariesTest {
  private static final DescribedPredicate<JavaClass> GENERATED =
      resideInAnyPackage("dev.wukong.onnx..", "dev.wukong.proto..");

  @ArchTest
  static final ArchRule packagesHaveNoCycles =
      slices().matching("dev.wukong.(**)").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule theServiceUsesOnlyDataBundlesAndTheRuntime =
      noClasses()
          .that()
          .resideInAPackage("dev.wukong.serving..")
          .and(
              // Packs what comes as JSON, as the client does; makes a model up and is its own
              // client; trains.
              DescribedPredicate.not(
                  resideInAnyPackage(
                      "dev.wukong.serving.rest..",
                      "dev.wukong.serving.rehearsal..",
                      "dev.wukong.serving.retraining..")))
          .should()
          .dependOnClassesThat(
              resideInAPackage("dev.wukong..")
                  .and(
                      DescribedPredicate.not(
                          resideInAnyPackage(
                              "dev.wukong.serving..",
                              "dev.wukong.data..",
                              "dev.wukong.text..",
                              "dev.wukong.bundle..",
                              "dev.wukong.runtime..",
                              "dev.wukong.proto.."))));

  @ArchTest
  static final ArchRule theServiceIsNobodysDependency =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.wukong.serving..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("dev.wukong.serving..");

  @ArchTest
  static final ArchRule onnxRuntimeIsForItsDoorTrainingAndEngines =
      noClasses()
          .that()
          .resideOutsideOfPackages(
              "dev.wukong.runtime..", "dev.wukong.training..", "dev.wukong.serving.engine..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("ai.onnxruntime..");

  /** Only its own door makes the environment, or the switch of telemetry would come too late. */
  @ArchTest
  static final ArchRule onnxRuntimeStartsAtItsDoor =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.wukong.runtime..")
          .should()
          .callMethodWhere(
              target(owner(type(OrtEnvironment.class))).and(target(name("getEnvironment"))))
          .orShould()
          .callConstructor(OrtSession.SessionOptions.class);

  @ArchTest
  static final ArchRule theRuntimeKnowsNothingOfTheRest =
      noClasses()
          .that()
          .resideInAPackage("dev.wukong.runtime..")
          .should()
          .dependOnClassesThat(
              resideInAPackage("dev.wukong..")
                  .and(DescribedPredicate.not(resideInAPackage("dev.wukong.runtime.."))));

  @ArchTest
  static final ArchRule reportsKnowNothingOfWhatTheyReport =
      noClasses()
          .that()
          .resideInAPackage("dev.wukong.report..")
          .should()
          .dependOnClassesThat(
              resideInAPackage("dev.wukong..")
                  .and(
                      DescribedPredicate.not(
                          resideInAnyPackage("dev.wukong.report..", "dev.wukong.data.."))));

  @ArchTest
  static final ArchRule rocksIsForItsStore =
      noClasses()
          .that()
          .haveSimpleNameNotStartingWith("Rocks")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.rocksdb..");

  @ArchTest
  static final ArchRule redisIsForItsStore =
      noClasses()
          .that()
          .haveNameNotMatching(".*[.]Redis[A-Za-z]*([$].*)?")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.lettuce..", "reactor..");

  @ArchTest
  static final ArchRule sensorsAreForTheirDoor =
      noClasses()
          .that()
          .haveNameNotMatching(".*[.]GpuSensor([$].*)?")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("oshi..", "com.sun.jna..");

  @ArchTest
  static final ArchRule theCacheDecidesAndHoldsNothing =
      noClasses()
          .that()
          .doNotHaveSimpleName("ResidentRows")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("com.github.benmanes..");

  @ArchTest
  static final ArchRule springIsForTheService =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.wukong.serving..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.springframework..");

  @ArchTest
  static final ArchRule theWireIsForTheEdgeAndTheClient =
      noClasses()
          .that(
              DescribedPredicate.not(
                  resideInAnyPackage(
                      "dev.wukong.proto..",
                      "dev.wukong.client..",
                      "dev.wukong.serving",
                      "dev.wukong.serving.admin..",
                      "dev.wukong.serving.inference..",
                      "dev.wukong.serving.rest..",
                      "dev.wukong.serving.predict..")))
          .should()
          .dependOnClassesThat()
          .resideInAPackage("dev.wukong.proto..");

  @ArchTest
  static final ArchRule rowsKnowNothingOfBatchesModelsAndRequests =
      noClasses()
          .that()
          .resideInAPackage("dev.wukong.serving.embedding..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "dev.wukong.serving",
              "dev.wukong.serving.batching..",
              "dev.wukong.serving.hosting..",
              "dev.wukong.serving.predict..");

  @ArchTest
  static final ArchRule batchesKnowNothingOfModelsAndRequests =
      noClasses()
          .that()
          .resideInAPackage("dev.wukong.serving.batching..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "dev.wukong.serving", "dev.wukong.serving.hosting..", "dev.wukong.serving.predict..");

  @ArchTest
  static final ArchRule modelsKnowNothingOfRequests =
      noClasses()
          .that()
          .resideInAPackage("dev.wukong.serving.hosting..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("dev.wukong.serving", "dev.wukong.serving.predict..");

  @ArchTest
  static final ArchRule noReflection =
      noClasses()
          .that(DescribedPredicate.not(GENERATED))
          .should()
          .dependOnClassesThat()
          .resideInAPackage("java.lang.reflect..");

  /** What is read from outside is bytes of stated forms, never objects. */
  @ArchTest
  static final ArchRule noObjectsFromBytes =
      noClasses()
          .that(DescribedPredicate.not(GENERATED))
          .should()
          .dependOnClassesThat()
          .haveFullyQualifiedName("java.io.ObjectInputStream");

  @ArchTest
  static final ArchRule namesSayWhatAThingIs =
      classes()
          .that(DescribedPredicate.not(GENERATED))
          .should()
          .haveNameNotMatching(".*(Impl|Manager|Util|Utils|Helper|Helpers)");
}
