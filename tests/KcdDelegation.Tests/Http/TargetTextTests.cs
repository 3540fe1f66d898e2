using KcdDelegation.Diagnosis;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tests.Http;

/// <summary>Tests the text of request targets: no second request, and no path that the backend reads in another way.</summary>
public sealed class TargetTextTests
{
    [Theory]
    [InlineData("/x HTTP/1.1\r\nHost: localhost\r\n\r\nGET /smuggled")]
    [InlineData("/x\r\nX-Injected: 1")]
    [InlineData("/x\rX-Injected: 1")]
    [InlineData("/x\nX-Injected: 1")]
    [InlineData("/x HTTP/1.0")]
    [InlineData("/x\ty")]
    [InlineData("/x\0y")]
    [InlineData("/x\u000by")]
    [InlineData("/x\u001fy")]
    [InlineData("/x\u007fy")]
    [InlineData("/x#y")]
    [InlineData("/x?q=#y")]
    [InlineData("/x?q=1 HTTP/1.1\r\n\r\n")]
    [InlineData("/x?q=a b")]
    [InlineData("/x?q=\u0000")]
    [InlineData("/caf\u00e9")]
    [InlineData("/x?q=\u00e9")]
    [InlineData("/x\u010d\u010ay")]
    [InlineData("/x\u2028y")]
    [InlineData("/x\ud83d\ude00")]
    [InlineData("/x\ud83dy")]
    [InlineData("?q=1")]
    public async Task A_target_with_a_character_that_must_be_encoded_is_refused(string target)
    {
        await using var backend = new RecordingBackend();
        var delegation = new FakeDelegation(backend.Url);
        using var client = delegation.CreateClient();
        using var request = FakeDelegation.As("ada");
        request.RequestUri = new Uri(backend.Url.AbsoluteUri.TrimEnd('/') + target, s_asWritten);

        await ShouldBeRefusedAsync(client, request, delegation);
        backend.Connections.ShouldBe(0);
    }

    [Theory]
    [InlineData("/!$&'()*+,-./0123456789:;<=>@ABC[]^_`{|}~\"?/?!$&'()*+,;=:@[]^`{|}~\"\\")]
    [InlineData("/a%20b%C3%A9/%E2%82%AC?q=%0d%0a%00%2e%2e%2f%u0041&u=../..\\")]
    [InlineData("//a//b")]
    [InlineData("/a..b/..c/d../.e/.../f")]
    [InlineData("/a;b=..;c/%2e.c/100%25/%25zz/%ff%c0%e9")]
    [InlineData("/%25us/%25u12/a%25b")]
    [InlineData("/a%2fb%5Cc%252f\\d")]
    public async Task A_target_without_such_a_character_is_sent_as_it_is(string target)
    {
        await using var backend = new RecordingBackend();
        using var client = new FakeDelegation(backend.Url).CreateClient();
        using var request = FakeDelegation.As("ada");
        request.RequestUri = new Uri(backend.Url.AbsoluteUri.TrimEnd('/') + target, s_asWritten);
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        backend.Head.Split("\r\n")[0].ShouldBe($"GET {target} HTTP/1.1");
    }

    public static TheoryData<string> ReinterpretedPaths =>
    [
        // Dot segments, which Uri has not resolved.
        "/a/../b", "/a/./b", "/..", "/.", "/a/..", "/a\\..\\b", "/a/..\\b",
        // Encoded, in all cases and mixed forms.
        "/a/%2e%2e/b", "/a/%2E%2E/b", "/a/%2e%2E/b", "/a/.%2e/b", "/a/%2e./b", "/a/%2e/b", "/%2e%2e", "/a/%2e",
        "/a/..%2fb", "/a%2f..%2fb", "/a%2F..%2Fb", "/a/..%5cb", "/a%5c..%5Cb", "/a/%2e%2e%2fb", "/a/%2e%2e%5cb", "/a/%2e%2e\\b",
        // With parameters, which Tomcat removes first.
        "/a/..;/b", "/a/..;x=1/b", "/a/.;/b", "/a/..;", "/a/%2e%2e;/b", "/a/.%2e;x/b", "/a/..%3b/b", "/a/..%3Bx/b", "/a/%2e%2e%3b/b",
        // Decoded twice and three times.
        "/a/%252e%252e/b", "/a/%252E%252e/b", "/a/.%252e/b", "/a/..%252fb", "/a/..%255cb", "/a/%25252e%25252e/b", "/a/%%32%65%%32%65/b",
        "/a/%252e%252e%253b/b",
        // In more bytes than necessary.
        "/a/%c0%ae%c0%ae/b", "/a/%C0%AE./b", "/a/..%c0%afb", "/a/..%c1%9cb", "/a/%e0%80%ae%e0%80%ae/b", "/a/%f0%80%80%ae%2e/b",
        "/a/%f8%80%80%80%ae./b", "/a/%fc%80%80%80%80%ae./b", "/a/%c0%2e%c0%2e/b", "/a/%25c0%25ae%25c0%25ae/b", "/a/..%c0%2fb",
        // In full width, and with blanks that Windows ignores.
        "/a/%ef%bc%8e%ef%bc%8e/b", "/a/..%ef%bc%8fb", "/a/..%ef%bc%bcb", "/a/..%20/b", "/a/..%09/b", "/a/%20../b",
        // Encoded NUL.
        "/a%00", "/a/..%00/b", "/a%00.html", "/%2500", "/a%c0%80",
        // Escapes that are not of RFC 3986.
        "/a/%u002e%u002e/b", "/a/%U002E", "/a%u2215b", "/a%u", "/a/%25u002e%25u002e/b", "/a%uff0eb",
    ];

    [Theory]
    [MemberData(nameof(ReinterpretedPaths))]
    public async Task A_path_that_a_backend_could_read_in_another_way_is_refused(string path)
    {
        await using var backend = new RecordingBackend();
        foreach (var (url, allowed) in ((string, bool)[])[("/", false), ("/a/", false), ("/a", true)])
        {
            var delegation = new FakeDelegation(new Uri(backend.Url, url));
            delegation.Application = delegation.Application with { AllowEncodedSlashes = allowed };
            using var client = delegation.CreateClient();
            using var request = FakeDelegation.As("ada");
            request.RequestUri = new Uri(backend.Url.AbsoluteUri.TrimEnd('/') + path, s_asWritten);
            await ShouldBeRefusedAsync(client, request, delegation);
        }
        backend.Connections.ShouldBe(0);
    }

    [Theory]
    [InlineData("/app/%u002e%u002e/b")]
    [InlineData("/app/%252e%252e/b")]
    [InlineData("/app/..%2fb")]
    [InlineData("/app/..;/b")]
    [InlineData("/app/%00")]
    public async Task An_address_that_Uri_has_made_canonical_is_checked_too(string path)
    {
        await using var backend = new RecordingBackend();
        var delegation = new FakeDelegation(backend.Url);
        using var client = delegation.CreateClient();
        using var request = FakeDelegation.As("ada", path);
        await ShouldBeRefusedAsync(client, request, delegation);
        backend.Connections.ShouldBe(0);
    }

    [Theory]
    [InlineData("/app/a%2fb")]
    [InlineData("/app/a%2Fb")]
    [InlineData("/app/a%5cb")]
    [InlineData("/app/a%5Cb")]
    [InlineData("/app/a\\b")]
    [InlineData("/app/a%252fb")]
    [InlineData("/app/a%255Cb")]
    [InlineData("/app/a%c0%afb")]
    [InlineData("/app/%2f")]
    public async Task Encoded_slashes_below_a_path_are_refused_unless_the_application_allows_them(string path)
    {
        await using var backend = new RecordingBackend();
        var delegation = new FakeDelegation(new Uri(backend.Url, "/app/"));
        using var client = delegation.CreateClient();
        using var refused = FakeDelegation.As("ada");
        refused.RequestUri = new Uri(backend.Url.AbsoluteUri.TrimEnd('/') + path, s_asWritten);
        (await ShouldBeRefusedAsync(client, refused, delegation)).Remedy.ShouldContain("AllowEncodedSlashes");
        backend.Connections.ShouldBe(0);

        delegation.Application = delegation.Application with { AllowEncodedSlashes = true };
        using var sent = FakeDelegation.As("ada");
        sent.RequestUri = refused.RequestUri;
        using var response = await client.SendAsync(sent, TestContext.Current.CancellationToken);
        backend.Head.ShouldStartWith($"GET {path} HTTP/1.1\r\n");
    }

    [Theory]
    [InlineData("/app%2fx")]
    [InlineData("/app%5cx")]
    [InlineData("/app\\x")]
    [InlineData("/app;x")]
    public async Task An_encoded_slash_does_not_end_the_application_s_path(string path)
    {
        await using var backend = new RecordingBackend();
        var delegation = new FakeDelegation(new Uri(backend.Url, "/app/"));
        delegation.Application = delegation.Application with { AllowEncodedSlashes = true };
        using var client = delegation.CreateClient();
        using var request = FakeDelegation.As("ada");
        request.RequestUri = new Uri(backend.Url.AbsoluteUri.TrimEnd('/') + path, s_asWritten);
        await ShouldBeRefusedAsync(client, request, delegation);
        backend.Connections.ShouldBe(0);
    }

    [Theory]
    [InlineData("http://ada:secret-1@evil.example/x")]
    [InlineData("http://ada:secret-1@localhost:1/x")]
    [InlineData("http://secret-1@evil.example/x")]
    [InlineData("http://ada:secret-1@localhost:{0}/../other")]
    [InlineData("http://ada:secret-1@localhost:{0}/%00")]
    [InlineData("ftp://ada:secret-1@localhost/x")]
    [InlineData("http://ada:secret-1@localhost:{0}/app/..%2f?secret-1")]
    [InlineData("ada:secret-1@evil.example")]
    public async Task A_password_in_a_refused_address_is_not_printed(string url)
    {
        await using var backend = new RecordingBackend();
        var delegation = new FakeDelegation(new Uri(backend.Url, "/app/"));
        using var handler = new KcdHandler(delegation, "app", createHandler: null, callers: null);
        using var invoker = new HttpMessageInvoker(handler, disposeHandler: false);
        using var request = FakeDelegation.As("ada", string.Format(null, url, backend.Url.Port));
        var error = await Should.ThrowAsync<KcdException>(() => invoker.SendAsync(request, TestContext.Current.CancellationToken));
        error.ToString().ShouldNotContain("secret-1");
        delegation.Log.Records.ShouldNotBeEmpty();
        delegation.Log.Records.ShouldAllBe(record => !record.Text.Contains("secret-1", StringComparison.Ordinal));
    }

    private static readonly UriCreationOptions s_asWritten = new() { DangerousDisablePathAndQueryCanonicalization = true };

    private static async Task<KcdException> ShouldBeRefusedAsync(HttpClient client, HttpRequestMessage request, FakeDelegation delegation)
    {
        var error = await Should.ThrowAsync<KcdException>(
            () => client.SendAsync(request, TestContext.Current.CancellationToken), request.RequestUri!.OriginalString);
        (error.Stage, error.Kind, error.EventId).ShouldBe((KcdStage.Target, KcdErrorKind.BadRequest, KcdEventId.TargetRefused));
        error.Message.ShouldNotContain('\r');
        error.Message.ShouldNotContain('\n');
        delegation.TicketsAsked.ShouldBe(0);
        return error;
    }
}
