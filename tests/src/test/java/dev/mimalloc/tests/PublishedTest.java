package dev.mimalloc.tests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.Mimalloc;
import dev.mimalloc.core.malloc.Allocate;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.xpath.XPathFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;

/** What goes to a repository says what it is, who has made it, and what one may do with it. */
class PublishedTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

    private static final List<String> WANTED = List.of("url", "name", "description", "licenses/license/name",
            "licenses/license/url", "developers/developer/name", "scm/connection", "scm/developerConnection", "scm/url");

    private static String pom(Path pom, String path) throws Exception {
        Document document = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(pom.toFile());
        return XPathFactory.newInstance().newXPath().evaluate(path, document).strip();
    }

    @Test
    void thePomsHaveWhatCentralWants() throws Exception {
        Path parent = ROOT.resolve("pom.xml");
        for (String element : WANTED) assertThat(pom(parent, "/project/" + element)).as(element).isNotEmpty();
        assertThat(pom(parent, "/project/properties/project.build.outputTimestamp")).isNotEmpty();
        assertThat(Files.readString(ROOT.resolve("LICENSE"))).contains(pom(parent, "/project/developers/developer/name"));
        for (String module : List.of("core", "api", "integrations/netty", "integrations/arrow", "integrations/lwjgl",
                "integrations/micrometer", "integrations/ignite")) {
            Path pom = ROOT.resolve(module).resolve("pom.xml");
            assertThat(pom(pom, "/project/parent/artifactId")).isEqualTo("mimalloc-parent");
            assertThat(pom(pom, "/project/parent/version")).as("is said once, in the parent").isEqualTo("${revision}");
            assertThat(pom(pom, "/project/name")).as(module).isNotEmpty();
            assertThat(pom(pom, "/project/description")).as(module).isNotEmpty();
            assertThat(pom(pom, "/project/build/resources")).as("would lose the licence").isEmpty();
        }
    }

    /** Or a release leaves some of them behind. */
    @Test
    void theVersionIsTheSameEverywhere() throws Exception {
        String version = version();
        Pattern ours = Pattern.compile("<groupId>dev\\.mimalloc</groupId>\\s*<artifactId>[^<]*</artifactId>\\s*"
                + "<version>([^<]*)</version>");
        try (Stream<Path> files = Files.walk(ROOT.resolve("docs"))) {
            for (Path page : files.filter(file -> file.toString().endsWith(".md")).toList()) {
                assertThat(ours.matcher(Files.readString(page)).results().map(found -> found.group(1))).as(page.toString())
                        .allMatch(version::equals);
            }
        }
    }

    private static String version() throws Exception { return pom(ROOT.resolve("pom.xml"), "/project/properties/revision"); }

    /** What the build makes of them is installed and deployed: all is said, and nothing by a property of another POM. */
    @Test
    void thePomsThatArePublishedAreWhole() throws Exception {
        for (String module : List.of("core", "api")) {
            Path pom = ROOT.resolve(module).resolve("target/published-pom.xml");
            assertThat(Files.readString(pom)).as(module).doesNotContain("${", "<parent>", "<scope>test", "<build>");
            assertThat(pom(pom, "/project/version")).isEqualTo(version());
            assertThat(pom(pom, "/project/groupId")).isEqualTo("dev.mimalloc");
            for (String element : WANTED) assertThat(pom(pom, "/project/" + element)).as(module + element).isNotEmpty();
        }
        Path api = ROOT.resolve("api/target/published-pom.xml");
        assertThat(pom(api, "/project/dependencies/dependency[artifactId='mimalloc-core']/version")).isEqualTo(version());
        assertThat(pom(api, "count(/project/dependencies/dependency)")).isEqualTo("1");
    }

    @Test
    void theLicenceIsInside() throws Exception {
        for (Class<?> one : List.of(Allocate.class, Mimalloc.class)) {
            assertThat(licence(one)).as(one.getModule().getName() + one)
                    .isEqualTo(Files.readString(ROOT.resolve("LICENSE")));
        }
    }

    /** Of the jar that a class is in, or of the folder that becomes one. */
    private static String licence(Class<?> type) throws IOException, URISyntaxException {
        URI location = type.getProtectionDomain().getCodeSource().getLocation().toURI();
        Path path = Path.of(location);
        if (Files.isDirectory(path)) return Files.readString(path.resolve("META-INF/LICENSE"));
        try (FileSystem jar = FileSystems.newFileSystem(path)) {
            return Files.readString(jar.getPath("META-INF/LICENSE"));
        }
    }
}
