using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace KcdDelegation.Yarp.Tests;

/// <summary>Sends requests through plain YARP and through a delegated cluster, and compares every byte that the client and the backend
/// see: with interim responses such as 103, and with trailers.</summary>
/// <remarks>Where .NET does not pass something on, the tests state that plain YARP does not either.</remarks>
public sealed class InterimResponseTests
{
    private static readonly string[] s_varying = ["Authorization:", "traceparent:", "Date:"];

    private const string Final = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-Backend: one\r\n\r\ndone";
    private const string EarlyHints = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\nX-Interim: 1\r\n\r\n";
    private const string Get = "GET /path HTTP/1.1\r\n";
    private const string Post = "POST /path HTTP/1.1\r\nContent-Length: 5\r\n";
    private const string Chunked = "POST /path HTTP/1.1\r\nTransfer-Encoding: chunked\r\n";

    public static TheoryData<string, string, string> InterimResponses => new()
    {
        { "103", EarlyHints, Get },
        { "several", "HTTP/1.1 102 Processing\r\n\r\n" + EarlyHints + EarlyHints, Get },
        { "100 without Expect", "HTTP/1.1 100 Continue\r\n\r\n", Get },
        { "103 before a body", EarlyHints, Post },
        { "103 and 100 for Expect", EarlyHints + "HTTP/1.1 100 Continue\r\n\r\n" + EarlyHints, Post + "Expect: 100-continue\r\n" },
        { "103 with the fields of a negotiation", EarlyHints.Replace("X-Interim: 1", "WWW-Authenticate: Negotiate oRQ=",
            StringComparison.Ordinal), Get },
        { "a large 103", EarlyHints.Replace("X-Interim: 1", $"X-Interim: {new string('x', 20_000)}", StringComparison.Ordinal), Get },
    };

    [Theory]
    [MemberData(nameof(InterimResponses))]
    public async Task An_interim_response_ends_at_the_gateway_as_with_plain_YARP(string kind, string interim, string request)
    {
        var (client, backend) = await CompareAsync(interim, Final, request, request == Get ? "" : "hello");
        client.ShouldNotContain("X-Interim", Case.Sensitive, kind);
        client.ShouldNotContain("HTTP/1.1 10", Case.Sensitive, "not even the 100 of the backend");
        client.ShouldStartWith("HTTP/1.1 200 OK");
        client.ShouldEndWith("done");
        backend.ShouldEndWith(request == Get ? "" : "hello");
    }

    [Fact]
    public async Task Trailers_of_a_response_end_at_the_gateway_if_the_client_uses_HTTP_1_1_as_with_plain_YARP()
    {
        var (client, _) = await CompareAsync("", ChunkedResponse("X-Checksum: of-the-body"), Get, "");
        client.ShouldStartWith("HTTP/1.1 200 OK");
        client.ShouldNotContain("of-the-body");
    }

    [Fact]
    public async Task Trailers_of_a_request_end_at_the_gateway_as_with_plain_YARP()
    {
        var (_, backend) = await CompareAsync(
            "", Final, Chunked + "Trailer: X-Checksum\r\n", "5\r\nhello\r\n0\r\nX-Checksum: of-the-body\r\n\r\n");
        backend.ShouldContain("hello");
        backend.ShouldNotContain("of-the-body");
    }

    [Fact]
    public async Task Trailers_of_a_response_reach_a_client_with_HTTP_2_except_those_of_sign_in_as_with_plain_YARP()
    {
        await using var realm = DelegatedGateway.StartRealm();
        await using var backend = new ScriptedBackend("", ChunkedResponse(
            "X-Checksum: of-the-body", "WWW-Authenticate: Negotiate oRQ=", "Proxy-Authenticate: Negotiate oRQ=",
            "Set-Cookie: .AspNetCore.Cookies=1", "X-Other: 43"));
        var seen = new List<string>();
        foreach (var application in (string?[])[null, "erp"])
        {
            await using var gateway = await StartAsync(realm, application, backend);
            using var response = await gateway.SendAsync("ada", "/path", request =>
                (request.Version, request.VersionPolicy) = (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact));
            (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe("body");
            seen.Add(string.Join('\n', response.TrailingHeaders.Select(field => $"{field.Key}: {string.Join('|', field.Value)}")));
        }
        seen.ShouldBe(["x-checksum: of-the-body\nx-other: 43", "x-checksum: of-the-body\nx-other: 43"]);
    }

    private static string ChunkedResponse(params IReadOnlyList<string> trailers) =>
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Checksum\r\n\r\n4\r\nbody\r\n0\r\n"
        + string.Concat(trailers.Select(line => line + "\r\n")) + "\r\n";

    /// <summary>Sends a request through both gateways.</summary>
    /// <returns>What the client and the backend saw, which is the same for both.</returns>
    private static async Task<(string Client, string Backend)> CompareAsync(string interim, string final, string request, string body)
    {
        await using var realm = DelegatedGateway.StartRealm();
        await using var backend = new ScriptedBackend(interim, final);
        var seen = new List<(string Client, string Backend)>();
        foreach (var application in (string?[])[null, "erp"])
        {
            await using var gateway = await StartAsync(realm, application, backend);
            var client = await SendAsync(gateway, request, body);
            backend.Received.TryDequeue(out var received).ShouldBeTrue(client);
            backend.Received.ShouldBeEmpty();
            if (application is not null)
                received.ShouldContain("Authorization: Negotiate ");
            seen.Add((Normalize(client, gateway), Normalize(received, gateway)));
        }
        seen[1].ShouldBe(seen[0]);
        return seen[0];
    }

    private static Task<DelegatedGateway> StartAsync(Testing.TestRealm realm, string? application, ScriptedBackend backend) =>
        DelegatedGateway.StartAsync(new GatewaySetup
        {
            Realm = application is null ? null : realm, Cluster = DelegatedGateway.CreateCluster(application, backend.Url),
        });

    private static async Task<string> SendAsync(DelegatedGateway gateway, string request, string body)
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, gateway.Url.Port, cancellation);
        await using var stream = new SslStream(
            client.GetStream(), leaveInnerStreamOpen: false,
            (_, certificate, _, _) => DelegatedGateway.IsTestCertificate(certificate));
        await stream.AuthenticateAsClientAsync("localhost");
        var text = $"{request}Host: {gateway.Url.Authority}\r\nX-User: ada\r\nConnection: close\r\n\r\n{body}";
        await stream.WriteAsync(Encoding.Latin1.GetBytes(text), cancellation);
        using var reader = new StreamReader(stream, Encoding.Latin1);
        return await reader.ReadToEndAsync(cancellation);
    }

    /// <summary>Removes the fields that differ between any two requests, and the ticket.</summary>
    private static string Normalize(string text, DelegatedGateway gateway) => string.Join('\n', text
        .Replace(gateway.Url.Authority, "gateway", StringComparison.Ordinal).Split('\n')
        .Where(line => !s_varying.Any(field => line.StartsWith(field, StringComparison.OrdinalIgnoreCase))));
}
