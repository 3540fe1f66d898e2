using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Testing.Tests;

public sealed class KdcDelegationTests
{
    private const string Password = "correct horse";
    private static readonly PaData ResourceBased = PaPacOptions.Create(PaPacOptions.ResourceBasedDelegation);

    private static WireClient CreateClient(TestRealm realm) => new(realm, "gw", Password);

    [Fact]
    public async Task A_listed_service_is_delegated_to()
    {
        await using var realm = TestRealm.Start().User("ada").Account("gw", mayDelegateTo: ["HTTP/app"], password: Password)
            .Service("HTTP/app");
        var client = CreateClient(realm);
        var tgt = await client.LogOnAsync();
        var evidence = await client.SelfAsync(tgt, "ada");
        evidence.IsForwardable.ShouldBeTrue();
        evidence.Reply.Client.ToString().ShouldBe("ada");
        var ticket = KdcReplyMessage.Decode(KdcMessageType.TgsReply, await client.ProxyAsync(tgt, evidence, "HTTP/app"));
        ticket.Client.ToString().ShouldBe("ada");
        ticket.Ticket.Service.ToString().ShouldBe("HTTP/app");
        realm.Transcript.ShouldBe(["AS gw ok", "SELF ada>gw ok", "PROXY ada>HTTP/app ok"]);
    }

    [Fact]
    public async Task The_reply_to_S4U2Self_repeats_the_user_signed_with_the_requested_key_usage()
    {
        await using var realm = TestRealm.Start().User("ada").Account("gw", password: Password);
        var client = CreateClient(realm);
        var tgt = await client.LogOnAsync();
        var evidence = await client.SelfAsync(tgt, "ada");
        var reply = PaS4UX509User.Decode(evidence.Reply.PaData.Find(PaDataType.S4UX509User)!.Value);
        reply.IsSignedBy(tgt.Part.Key, KeyUsage.PaS4UX509UserReply).ShouldBeTrue();
        reply.UserId.Nonce.ShouldBe(evidence.Part.Nonce);
        reply.UserId.User!.ToString().ShouldBe("ada");
    }

    [Fact]
    public async Task Heimdal_does_not_answer_PA_S4U_X509_USER()
    {
        await using var realm = TestRealm.Start(kind: KdcKind.Heimdal).User("ada").Account("gw", password: Password);
        var client = CreateClient(realm);
        var evidence = await client.SelfAsync(await client.LogOnAsync(), "ada");
        evidence.Reply.Client.ToString().ShouldBe("ada");
        evidence.Reply.PaData.Find(PaDataType.S4UX509User).ShouldBeNull();
    }

    [Theory]
    [InlineData(KdcKind.Windows, true, true, true)]
    [InlineData(KdcKind.Windows, false, true, false)]
    [InlineData(KdcKind.Windows, false, false, true)] // MS-SFU: an empty delegation list
    [InlineData(KdcKind.Mit, false, false, true)]
    [InlineData(KdcKind.Heimdal, false, false, false)]
    [InlineData(KdcKind.Heimdal, true, false, true)]
    public async Task Evidence_is_forwardable_by_the_rule_of_each_KDC(KdcKind kind, bool anyProtocol, bool hasList, bool forwardable)
    {
        await using var realm = TestRealm.Start(kind: kind).User("ada")
            .Account("gw", mayDelegateTo: hasList ? ["HTTP/app"] : [], anyProtocol: anyProtocol, password: Password);
        var client = CreateClient(realm);
        (await client.SelfAsync(await client.LogOnAsync(), "ada")).IsForwardable.ShouldBe(forwardable);
    }

    [Fact]
    public async Task Evidence_for_sensitive_and_protected_users_is_not_forwardable_and_is_refused()
    {
        await using var realm = TestRealm.Start().User("eve", sensitive: true).User("bob", protectedUser: true)
            .Account("gw", mayDelegateTo: ["HTTP/app"], password: Password).Service("HTTP/app");
        var client = CreateClient(realm);
        var tgt = await client.LogOnAsync();
        foreach (var user in new[] { "eve", "bob" })
        {
            var evidence = await client.SelfAsync(tgt, user);
            evidence.IsForwardable.ShouldBeFalse();
            var error = WireClient.ShouldBeError(await client.ProxyAsync(tgt, evidence, "HTTP/app", ResourceBased),
                KerberosErrorCode.BadOption);
            KerbErrorData.ReadNtStatus(error.Data).ShouldBe(unchecked((int)0xC000006E));
        }
    }

    [Theory]
    [InlineData(true, true, 0xC0000225)]
    [InlineData(false, true, 0xC0000225)]
    [InlineData(true, false, 0xC0000272)]
    [InlineData(false, false, 0xC00000BB)]
    public async Task A_service_on_no_list_is_refused_with_the_status_that_fits_the_request(bool hasList, bool asksForResourceBased,
        uint status)
    {
        await using var realm = TestRealm.Start().User("ada")
            .Account("gw", mayDelegateTo: hasList ? ["HTTP/other"] : [], password: Password).Service("HTTP/app");
        var client = CreateClient(realm);
        var tgt = await client.LogOnAsync();
        var evidence = await client.SelfAsync(tgt, "ada");
        var error = WireClient.ShouldBeError(await client.ProxyAsync(tgt, evidence, "HTTP/app",
            asksForResourceBased ? [ResourceBased] : []), KerberosErrorCode.BadOption);
        KerbErrorData.ReadNtStatus(error.Data).ShouldBe(unchecked((int)status));
        realm.Transcript[^1].ShouldBe("PROXY ada>HTTP/app KDC_ERR_BADOPTION");
    }

    [Fact]
    public async Task A_resource_based_list_applies_only_if_the_client_sends_the_resource_based_bit()
    {
        await using var realm = TestRealm.Start().User("ada").Account("gw", password: Password).Service("HTTP/app", delegatedFrom: ["gw"]);
        var client = CreateClient(realm);
        var tgt = await client.LogOnAsync();
        var evidence = await client.SelfAsync(tgt, "ada");
        WireClient.ShouldBeError(await client.ProxyAsync(tgt, evidence, "HTTP/app"), KerberosErrorCode.BadOption);
        KdcReplyMessage.Decode(KdcMessageType.TgsReply,
            await client.ProxyAsync(tgt, evidence, "HTTP/app", ResourceBased)).Client.ToString().ShouldBe("ada");
    }

    [Fact]
    public async Task Evidence_for_another_account_is_refused()
    {
        await using var realm = TestRealm.Start().User("ada").Account("gw", mayDelegateTo: ["HTTP/app"], password: Password)
            .Account("thief", mayDelegateTo: ["HTTP/app"], password: Password).Service("HTTP/app");
        var client = CreateClient(realm);
        var evidence = await client.SelfAsync(await client.LogOnAsync(), "ada");
        var thief = new WireClient(realm, "thief", Password);
        WireClient.ShouldBeError(await thief.ProxyAsync(await thief.LogOnAsync(), evidence, "HTTP/app"), KerberosErrorCode.ServerNoMatch);
    }

    [Fact]
    public async Task Tampered_evidence_is_refused()
    {
        await using var realm = TestRealm.Start().User("ada").Account("gw", mayDelegateTo: ["HTTP/app"], password: Password)
            .Service("HTTP/app");
        var client = CreateClient(realm);
        var tgt = await client.LogOnAsync();
        var evidence = await client.SelfAsync(tgt, "ada");
        var ticket = evidence.Reply.Ticket;
        var cipher = ticket.EncryptedPart.Cipher.ToArray();
        cipher[^1] ^= 1;
        var forged = Ticket.Create(ticket.Realm, ticket.Service, ticket.EncryptedPart with { Cipher = cipher });
        WireClient.ShouldBeError(await client.ProxyAsync(tgt, evidence with { Reply = evidence.Reply with { Ticket = forged } },
            "HTTP/app"), KerberosErrorCode.Modified);
    }

    [Theory]
    [InlineData("unknown", KerberosErrorCode.ClientPrincipalUnknown)]
    [InlineData("gone", KerberosErrorCode.ClientRevoked)]
    public async Task Users_that_cannot_be_impersonated_get_the_code_of_the_reason(string user, KerberosErrorCode code)
    {
        await using var realm = TestRealm.Start().User("gone", disabled: true).Account("gw", password: Password);
        var client = CreateClient(realm);
        var tgt = await client.LogOnAsync();
        var body = client.TgsBody(new PrincipalName(1, ["gw"]));
        WireClient.ShouldBeError(await client.TgsAsync(tgt, body, more: client.X509User(tgt, body, new PrincipalName(1, [user]))), code);
    }

    [Fact]
    public async Task S4U2Self_is_refused_for_another_service_than_the_requesting_account()
    {
        await using var realm = TestRealm.Start().User("ada").Account("gw", password: Password).Service("HTTP/app");
        var client = CreateClient(realm);
        var tgt = await client.LogOnAsync();
        var body = client.TgsBody(new PrincipalName(2, ["HTTP", "app"]));
        WireClient.ShouldBeError(await client.TgsAsync(tgt, body, more: client.X509User(tgt, body, new PrincipalName(1, ["ada"]))),
            KerberosErrorCode.BadMatch);
    }

    [Fact]
    public async Task Forged_user_structures_are_refused()
    {
        await using var realm = TestRealm.Start().User("ada").Account("gw", password: Password);
        var client = CreateClient(realm);
        var tgt = await client.LogOnAsync();
        using var otherKey = KerberosKey.CreateRandom(EncryptionType.Aes256CtsHmacSha1);
        var ada = new PrincipalName(1, ["ada"]);

        var body = client.TgsBody(new PrincipalName(1, ["gw"]));
        WireClient.ShouldBeError(await client.TgsAsync(tgt, body, more: PaForUser.Create(ada, realm.Name, otherKey).ToPaData()),
            KerberosErrorCode.Modified);

        body = client.TgsBody(new PrincipalName(1, ["gw"]));
        var wrongNonce = PaS4UX509User.Create(S4UUserId.Create(body.Nonce + 1, ada, realm.Name, 0), tgt.Part.Key,
            KeyUsage.PaS4UX509UserRequest);
        WireClient.ShouldBeError(await client.TgsAsync(tgt, body, more: wrongNonce.ToPaData()), KerberosErrorCode.Modified);

        body = client.TgsBody(new PrincipalName(1, ["gw"]));
        var wrongKey = PaS4UX509User.Create(S4UUserId.Create(body.Nonce, ada, realm.Name, 0), otherKey, KeyUsage.PaS4UX509UserRequest);
        WireClient.ShouldBeError(await client.TgsAsync(tgt, body, more: wrongKey.ToPaData()), KerberosErrorCode.Modified);
    }

    [Fact]
    public async Task The_header_of_a_TGS_request_is_verified()
    {
        await using var realm = TestRealm.Start().Account("gw", password: Password).Service("HTTP/app");
        var client = CreateClient(realm);
        var tgt = await client.LogOnAsync();
        var app = new PrincipalName(2, ["HTTP", "app"]);
        await ShouldFailAsync(a => a with { Checksum = null }, KerberosErrorCode.InappropriateChecksum);
        await ShouldFailAsync(a => a with { Checksum = ChecksumField.Create(tgt.Part.Key, KeyUsage.TgsRequestBodyChecksum, [1, 2, 3]) },
            KerberosErrorCode.Modified);
        await ShouldFailAsync(a => a with { Client = new PrincipalName(1, ["ada"]) }, KerberosErrorCode.BadMatch);
        await ShouldFailAsync(a => a with { Time = a.Time + TimeSpan.FromMinutes(6) }, KerberosErrorCode.Skew);

        async Task ShouldFailAsync(Func<Authenticator, Authenticator> change, KerberosErrorCode code) =>
            WireClient.ShouldBeError(await client.TgsAsync(tgt, client.TgsBody(app), change), code);
    }

    [Fact]
    public async Task The_same_request_may_be_sent_again_but_its_authenticator_not_in_another_request()
    {
        await using var realm = TestRealm.Start().Account("gw", password: Password).Service("HTTP/app");
        var client = CreateClient(realm);
        var tgt = await client.LogOnAsync();
        var body = client.TgsBody(new PrincipalName(2, ["HTTP", "app"]));
        var header = client.Header(tgt, body);
        var request = new KdcRequestMessage(KdcMessageType.TgsRequest, [header], body.Encode()).Encode();
        KdcReplyMessage.Decode(KdcMessageType.TgsReply, await WireClient.ExchangeAsync(realm, request));
        KdcReplyMessage.Decode(KdcMessageType.TgsReply, await WireClient.ExchangeAsync(realm, request));
        var other = new KdcRequestMessage(KdcMessageType.TgsRequest, [header, ResourceBased], body.Encode()).Encode();
        WireClient.ShouldBeError(await WireClient.ExchangeAsync(realm, other), KerberosErrorCode.Repeat);
    }

    [Fact]
    public async Task Unknown_and_duplicate_services_get_different_codes()
    {
        await using var realm = TestRealm.Start().Account("gw", password: Password).Service("HTTP/twice")
            .Service("HTTP/twice", account: "second");
        var client = CreateClient(realm);
        var tgt = await client.LogOnAsync();
        WireClient.ShouldBeError(await client.TgsAsync(tgt, client.TgsBody(new PrincipalName(2, ["HTTP", "none"]))),
            KerberosErrorCode.ServicePrincipalUnknown);
        WireClient.ShouldBeError(await client.TgsAsync(tgt, client.TgsBody(new PrincipalName(2, ["HTTP", "twice"]))),
            KerberosErrorCode.PrincipalNotUnique);
    }

    [Theory]
    [InlineData(1_000)]
    [InlineData(4_000)]
    [InlineData(12_000)]
    public async Task A_PAC_of_a_chosen_size_makes_tickets_of_that_size(int size)
    {
        await using var realm = TestRealm.Start().User("ada").Account("gw", password: Password).PacSize(size);
        var client = CreateClient(realm);
        var evidence = await client.SelfAsync(await client.LogOnAsync(), "ada");
        evidence.Reply.Ticket.Encoded.Length.ShouldBeInRange(size, size + 500);
    }
}
