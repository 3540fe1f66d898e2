using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KcdDelegation.Diagnosis;
using KcdDelegation.Http;
using KcdDelegation.Kerberos.Messages;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tests.Http;

public sealed class ChannelBindingTests
{
    private const string RsaPss = "1.2.840.113549.1.1.10";
    private const string Sha1 = "1.3.14.3.2.26", Sha256 = "2.16.840.1.101.3.4.2.1", Sha384 = "2.16.840.1.101.3.4.2.2",
        Sha512 = "2.16.840.1.101.3.4.2.3";

    [Theory]
    [InlineData("1.2.840.113549.1.1.4", "SHA256")] // md5WithRSA
    [InlineData("1.2.840.113549.1.1.5", "SHA256")] // sha1WithRSA
    [InlineData("1.2.840.113549.1.1.11", "SHA256")]
    [InlineData("1.2.840.113549.1.1.12", "SHA384")]
    [InlineData("1.2.840.113549.1.1.13", "SHA512")]
    [InlineData("1.2.840.10045.4.1", "SHA256")] // ecdsa-with-SHA1
    [InlineData("1.2.840.10045.4.3.2", "SHA256")]
    [InlineData("1.2.840.10045.4.3.3", "SHA384")]
    [InlineData("1.2.840.10045.4.3.4", "SHA512")]
    public void The_binding_is_the_certificate_s_hash_by_its_own_signature_s_function(string algorithm, string hash) =>
        GetBinding(writer => writer.WriteObjectIdentifier(algorithm)).ShouldBe(hash);

    [Theory]
    [InlineData(Sha256, Sha256, "SHA256")]
    [InlineData(Sha384, Sha384, "SHA384")]
    [InlineData(Sha512, Sha512, "SHA512")]
    [InlineData(Sha1, Sha1, "SHA256")]
    [InlineData(null, null, "SHA256")] // both default to SHA-1
    [InlineData(Sha256, Sha384, null)]
    [InlineData(Sha256, null, null)]
    public void With_RSA_PSS_the_function_is_a_parameter(string? hash, string? maskHash, string? expected) => GetBinding(writer =>
    {
        writer.WriteObjectIdentifier(RsaPss);
        using (writer.PushSequence())
        {
            if (hash is not null)
            {
                using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
                using (writer.PushSequence())
                    writer.WriteObjectIdentifier(hash);
            }
            if (maskHash is not null)
            {
                using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 1)))
                using (writer.PushSequence())
                {
                    writer.WriteObjectIdentifier("1.2.840.113549.1.1.8");
                    using (writer.PushSequence())
                        writer.WriteObjectIdentifier(maskHash);
                }
            }
        }
    }).ShouldBe(expected);

    [Theory]
    [InlineData("")]
    [InlineData("0500")]
    [InlineData("3003020105")]
    [InlineData("3004A0020500")]
    [InlineData("3006A00430020500")]
    public void Malformed_RSA_PSS_parameters_define_no_binding(string parameters) => GetBinding(writer =>
    {
        writer.WriteObjectIdentifier(RsaPss);
        if (parameters.Length > 0)
            writer.WriteEncodedValue(Convert.FromHexString(parameters));
    }).ShouldBeNull();

    [Theory]
    [InlineData("1.3.101.112")] // Ed25519
    [InlineData("1.3.101.113")] // Ed448
    public void A_signature_without_a_hash_function_of_its_own_defines_no_binding(string algorithm) =>
        GetBinding(writer => writer.WriteObjectIdentifier(algorithm)).ShouldBeNull();

    [Fact]
    public void RSA_PSS_as_dotnet_writes_it_is_read()
    {
        using var rsa = RSA.Create(2048);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = new CertificateRequest("CN=localhost", rsa, HashAlgorithmName.SHA384, RSASignaturePadding.Pss)
            .CreateSelfSigned(now, now.AddDays(1));
        TlsServerEndPoint.CreateApplicationData(certificate).ToArray()
            .ShouldBe([.. "tls-server-end-point:"u8, .. SHA384.HashData(certificate.RawData)]);
    }

    [Fact]
    public async Task Every_token_over_TLS_including_the_first_is_bound_to_the_certificate()
    {
        await using var backend = await FakeBackend.StartTlsAsync();
        using var client = new FakeDelegation(backend.Url).CreateClient();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => client.GetStringAsAsync("ada")));
        await client.GetStringAsAsync("bob");

        backend.Seen.Count.ShouldBe(9);
        backend.Seen.ShouldAllBe(seen => IsBoundToItsConnection(seen));
        backend.Seen.Select(seen => seen.Authorization).ShouldBeUnique();
    }

    [Theory]
    [InlineData(TokenFormat.Kerberos, AuthenticationStart.Preemptive)]
    [InlineData(TokenFormat.Spnego, AuthenticationStart.OnChallenge)]
    public async Task Where_servers_behind_one_address_differ_each_token_is_bound_to_its_own_connection(
        TokenFormat format, AuthenticationStart start)
    {
        await using var backend = await FakeBackend.StartTlsAsync(
            async context =>
            {
                if (context.Request.Headers.Authorization.Count == 0)
                {
                    context.Response.StatusCode = 401;
                    context.Response.Headers.WWWAuthenticate = "Negotiate";
                }
                // The delay makes concurrent requests use separate connections.
                await Task.Delay(20, context.RequestAborted);
            },
            certificates: 3);
        var delegation = new FakeDelegation(backend.Url);
        delegation.Application = delegation.Application with { TokenFormat = format, Start = start };
        using var client = delegation.CreateClient();
        for (var round = 0; round < 5; round++)
            await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => client.GetStringAsAsync("ada")));

        var withTicket = backend.Seen.Where(seen => seen.Authorization is not null).ToList();
        withTicket.Count.ShouldBe(15);
        withTicket.ShouldAllBe(seen => IsBoundToItsConnection(seen));
        withTicket.Select(seen => seen.Certificate).Distinct().Count().ShouldBeGreaterThan(1);
    }

    [Fact]
    public async Task A_later_connection_with_another_certificate_gets_a_token_that_is_bound_to_it()
    {
        await using var backend = await FakeBackend.StartTlsAsync(CloseEachConnection, certificates: 3);
        using var client = new FakeDelegation(backend.Url).CreateClient();
        for (var round = 0; round < 4; round++)
            await client.GetStringAsAsync("ada");

        backend.Seen.Count.ShouldBe(4);
        backend.Seen.ShouldAllBe(seen => IsBoundToItsConnection(seen));
        backend.Seen.Select(seen => seen.Certificate).Distinct().Count().ShouldBeGreaterThan(1);
    }

    [Theory]
    [InlineData(AuthenticationStart.Preemptive)]
    [InlineData(AuthenticationStart.OnChallenge)]
    public async Task Where_certificates_differ_and_no_connection_is_kept_no_request_is_refused(AuthenticationStart start)
    {
        await using var backend = await FakeBackend.StartTlsAsync(
            async context =>
            {
                await CloseEachConnection(context);
                if (context.Request.Headers.Authorization.Count == 0)
                {
                    context.Response.StatusCode = 401;
                    context.Response.Headers.WWWAuthenticate = "Negotiate";
                }
            },
            certificates: 5);
        var delegation = new FakeDelegation(backend.Url);
        delegation.Application = delegation.Application with { Start = start };
        using var client = delegation.CreateClient();
        for (var round = 0; round < 20; round++)
            await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => client.GetStringAsAsync("ada")));

        var withTicket = backend.Seen.Where(seen => seen.Authorization is not null).ToList();
        withTicket.Count.ShouldBe(160);
        withTicket.ShouldAllBe(seen => IsBoundToItsConnection(seen));
        delegation.Log.Records.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_certificate_that_defines_no_binding_is_reported_once()
    {
        await using var backend = await FakeBackend.StartTlsAsync(SignedWithEd25519());
        var delegation = new FakeDelegation(backend.Url);
        using var client = delegation.CreateClient();
        foreach (var user in (string[])["ada", "bob", "ada"])
            await client.GetStringAsAsync(user);

        backend.Seen.ShouldAllBe(seen => seen.Ticket.BindingHash.ToArray().All(octet => octet == 0));
        var record = delegation.Log.Records.ShouldHaveSingleItem();
        (record.Id, record.Level).ShouldBe((KcdEventId.ChannelBindingUndefined, LogLevel.Warning));
        record.Text.ShouldContain("1.3.101.112");
    }

    [Fact]
    public async Task An_application_that_requires_a_binding_refuses_a_certificate_without_one()
    {
        await using var backend = await FakeBackend.StartTlsAsync(SignedWithEd25519());
        var delegation = new FakeDelegation(backend.Url);
        using var client = delegation.CreateClient();
        // The connection that is kept from before the change of the settings is not used either.
        await client.GetStringAsAsync("ada");
        delegation.Application = delegation.Application with { RequireChannelBinding = true };

        var requests = Enumerable.Range(0, 3).Select(_ => client.GetStringAsAsync("ada")).ToList();
        foreach (var request in requests)
        {
            var error = await Should.ThrowAsync<KcdException>(request);
            (error.EventId, error.Stage, error.IsTransient).ShouldBe((KcdEventId.ChannelBindingRequired, KcdStage.Target, false));
        }
        backend.Seen.Count.ShouldBe(1);
    }

    [Fact]
    public async Task An_application_that_requires_a_binding_accepts_a_certificate_with_one()
    {
        await using var backend = await FakeBackend.StartTlsAsync();
        var delegation = new FakeDelegation(backend.Url);
        delegation.Application = delegation.Application with { RequireChannelBinding = true };
        using var client = delegation.CreateClient();
        await client.GetStringAsAsync("ada");
        IsBoundToItsConnection(backend.Seen.Single()).ShouldBeTrue();
    }

    [Fact]
    public async Task Turned_off_no_token_is_bound()
    {
        await using var backend = await FakeBackend.StartTlsAsync();
        var delegation = new FakeDelegation(backend.Url);
        delegation.Application = delegation.Application with { ChannelBinding = false };
        using var client = delegation.CreateClient();
        await client.GetStringAsAsync("ada");
        backend.Seen.Single().Ticket.BindingHash.ToArray().ShouldBe(new byte[16]);
    }

    [Fact]
    public async Task The_first_request_can_be_cancelled_before_there_is_a_connection()
    {
        await using var backend = await FakeBackend.StartTlsAsync();
        var connecting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var connect = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var client = new FakeDelegation(backend.Url).CreateClient(() =>
        {
            var handler = FakeDelegation.TrustTheBackend();
            handler.PlaintextStreamFilter = null;
            handler.ConnectCallback = async (context, cancellationToken) =>
            {
                connecting.TrySetResult();
                await connect.Task.WaitAsync(cancellationToken);
                var socket = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
                await socket.ConnectAsync(System.Net.IPAddress.Loopback, context.DnsEndPoint.Port, cancellationToken);
                return new System.Net.Sockets.NetworkStream(socket, ownsSocket: true);
            };
            return handler;
        });
        using var cancellation = new CancellationTokenSource();
        using var request = FakeDelegation.As("ada", "/cancelled");
        var first = client.SendAsync(request, cancellation.Token);
        await connecting.Task;
        var second = client.GetStringAsAsync("ada", "/second");
        await cancellation.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(first);
        connect.SetResult();
        await second;

        request.Headers.Authorization.ShouldBeNull("the connection came after its request had gone");
        backend.Seen.Single().Path.ShouldBe("/second");
        IsBoundToItsConnection(backend.Seen.Single()).ShouldBeTrue();
    }

    [Fact]
    public async Task While_there_is_no_connection_all_requests_fail_with_the_first()
    {
        var connect = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var attempts = 0;
        using var client = new FakeDelegation(new Uri("https://localhost/")).CreateClient(() => new SocketsHttpHandler
        {
            ConnectCallback = async (_, _) =>
            {
                Interlocked.Increment(ref attempts);
                await connect.Task;
                throw new IOException("no server");
            },
        });
        var requests = Enumerable.Range(0, 5).Select(_ => client.GetStringAsAsync("ada")).ToList();
        connect.SetResult();
        foreach (var request in requests)
            (await Should.ThrowAsync<HttpRequestException>(request)).Message.ShouldContain("no server");
        attempts.ShouldBe(1);
    }

    private static Task CloseEachConnection(HttpContext context)
    {
        context.Response.Headers.Connection = "close";
        return Task.CompletedTask;
    }

    /// <summary>Determines whether the token is bound to the certificate that the request's own connection presented.</summary>
    private static bool IsBoundToItsConnection(SeenRequest seen)
    {
        var expected = new byte[16];
        GssChecksum.Bind([.. "tls-server-end-point:"u8, .. SHA384.HashData(seen.Certificate!.RawData)], expected);
        return seen.Ticket.BindingHash.Span.SequenceEqual(expected);
    }

    /// <summary>Gets the hash function that binds a certificate with this signature algorithm.</summary>
    private static string? GetBinding(Action<AsnWriter> algorithmIdentifier)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
            algorithmIdentifier(writer);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = Create(key, writer.Encode());

        var binding = TlsServerEndPoint.CreateApplicationData(certificate);
        if (binding.IsEmpty)
            return null;
        binding.Span.StartsWith("tls-server-end-point:"u8).ShouldBeTrue();
        return ((HashAlgorithmName[])[HashAlgorithmName.SHA256, HashAlgorithmName.SHA384, HashAlgorithmName.SHA512])
            .Single(hash => binding.Span["tls-server-end-point:".Length..]
                .SequenceEqual(CryptographicOperations.HashData(hash, certificate.RawData))).Name;
    }

    /// <summary>Creates a certificate that a server with a key of its own presents, such as one of an authority that signs with
    /// Ed25519.</summary>
    private static X509Certificate2 SignedWithEd25519()
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
            writer.WriteObjectIdentifier("1.3.101.112");
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = Create(key, writer.Encode());
        return certificate.CopyWithPrivateKey(key);
    }

    private static X509Certificate2 Create(ECDsa key, byte[] algorithmIdentifier)
    {
        var name = new X500DistinguishedName("CN=localhost");
        var now = TimeProvider.System.GetUtcNow();
        return new CertificateRequest(name, key, HashAlgorithmName.SHA256)
            .Create(name, new AnySignature(algorithmIdentifier), now, now.AddDays(1), [1]);
    }

    /// <summary>Creates certificates with algorithms that .NET does not sign with. The signature is not checked here.</summary>
    private sealed class AnySignature(byte[] algorithmIdentifier) : X509SignatureGenerator
    {
        public override byte[] GetSignatureAlgorithmIdentifier(HashAlgorithmName hashAlgorithm) => algorithmIdentifier;

        public override byte[] SignData(byte[] data, HashAlgorithmName hashAlgorithm) => new byte[64];

        protected override PublicKey BuildPublicKey() => throw new NotSupportedException();
    }
}
