plugins {
    kotlin("jvm") version "2.1.0"
    id("com.apollographql.apollo") version "4.1.0"
}

dependencies {
    implementation("com.apollographql.apollo:apollo-runtime:4.1.0")
}

apollo {
    service("vendgraph") {
        packageName.set("vendgraph")
        srcDir("src/main/graphql")
        schemaFiles.from("../../schema.graphql")
    }
}
