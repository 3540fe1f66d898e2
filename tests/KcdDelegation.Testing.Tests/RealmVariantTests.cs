using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Testing.Tests;

/// <summary>Variants of a realm: short tickets, new krbtgt keys, recreated users, PACs, reply keys.</summary>
public sealed class RealmVariantTests
{
    private const string Password = "correct horse";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static TestRealm StartRealm(KdcKind kind = KdcKind.Windows) =>
        TestRealm.Start(kind: kind).User("ada").Account("gw", mayDelegateTo: ["HTTP/app"], password: Password).Service("HTTP/app");

    [Fact]
    public async Task Tickets_live_no_longer_than_the_realm_allows()
    {
        await using var realm = StartRealm().TicketLife(TimeSpan.FromMinutes(3));
        var client = new WireClient(realm, "gw", Password);
        var tgt = await client.LogOnAsync();
        (tgt.Part.EndTime - tgt.Part.StartTime).ShouldBe(TimeSpan.FromMinutes(3));
        (await client.SelfAsync(tgt, "ada")).Part.EndTime.ShouldBe(tgt.Part.EndTime);
        var issued = realm.IssueTicket("ada", "HTTP/gw");
        (issued.EndTime - issued.StartTime).ShouldBe(TimeSpan.FromMinutes(3));
        Should.Throw<ArgumentOutOfRangeException>(() => realm.TicketLife(TimeSpan.Zero));
    }

    [Theory]
    [InlineData(KdcKind.Windows, KerberosErrorCode.BadKeyVersion, null)]
    [InlineData(KdcKind.Mit, KerberosErrorCode.Generic, "PROCESS_TGS")]
    [InlineData(KdcKind.Heimdal, KerberosErrorCode.BadIntegrity, null)]
    public async Task A_TGT_whose_krbtgt_key_was_removed_is_refused_as_each_KDC_does(KdcKind kind, KerberosErrorCode code, string? text)
    {
        await using var realm = StartRealm(kind);
        var client = new WireClient(realm, "gw", Password);
        var tgt = await client.LogOnAsync();
        var app = new PrincipalName(2, ["HTTP", "app"]);

        realm.RollTicketGrantingKeys();
        await client.GrantedAsync(tgt, client.TgsBody(app));

        realm.RollTicketGrantingKeys(keepOldKeys: false);
        WireClient.ShouldBeError(await client.TgsAsync(tgt, client.TgsBody(app)), code).Text.ShouldBe(text);
        await client.GrantedAsync(await client.LogOnAsync(), client.TgsBody(app));
    }

    [Fact]
    public async Task A_user_is_disabled_enabled_and_recreated_with_a_new_SID()
    {
        await using var realm = StartRealm();
        var acceptor = new TestAcceptor(realm, "HTTP/app");
        string? GetSid() => acceptor.Accept(TokenMaker.Header(TokenMaker.CreateToken(realm.IssueTicket("ada", "HTTP/app")))).Sid;
        var client = new WireClient(realm, "gw", Password);
        var tgt = await client.LogOnAsync();
        var first = GetSid();

        realm.Disable("ada");
        (await Should.ThrowAsync<InvalidOperationException>(() => client.SelfAsync(tgt, "ada"))).Message.ShouldBe("ClientRevoked");
        realm.Enable("ada");
        (await client.SelfAsync(tgt, "ada")).Reply.Client.ToString().ShouldBe("ada");
        GetSid().ShouldBe(first);

        realm.Remove("ada").User("ada");
        GetSid().ShouldNotBe(first);
    }

    [Fact]
    public async Task A_ticket_without_a_PAC_names_no_account()
    {
        await using var realm = StartRealm().Fail(KdcFault.NoPac, KerberosExchange.S4U2Proxy);
        var identity = await AcceptAsync(realm);
        identity.User.ToString().ShouldBe("ada@CONTOSO.TEST");
        identity.Sid.ShouldBeNull();
        identity.SamAccountName.ShouldBeNull();
    }

    [Fact]
    public async Task Without_a_PAC_in_the_TGT_protocol_transition_is_refused()
    {
        await using var realm = StartRealm().Fail(KdcFault.NoPac, KerberosExchange.LogOn);
        var client = new WireClient(realm, "gw", Password);
        var tgt = await client.LogOnAsync();
        (await Should.ThrowAsync<InvalidOperationException>(() => client.SelfAsync(tgt, "ada"))).Message.ShouldBe("TgtRevoked");
    }

    [Theory]
    [InlineData("ada\0\r\nadministrator", "ada@contoso.test\u202E")]
    [InlineData("", "")]
    public async Task A_PAC_can_have_hostile_names(string samAccountName, string userPrincipalName)
    {
        await using var realm = StartRealm().Fail(KdcFault.PacNames(samAccountName, userPrincipalName), KerberosExchange.S4U2Proxy);
        var identity = await AcceptAsync(realm);
        identity.SamAccountName.ShouldBe(samAccountName);
        identity.UserPrincipalName.ShouldBe(userPrincipalName);
        identity.User.ToString().ShouldBe("ada@CONTOSO.TEST");
        Should.Throw<ArgumentOutOfRangeException>(() => KdcFault.PacNames(new string('a', 10_001), ""));
    }

    [Fact]
    public async Task A_reply_can_be_encrypted_with_the_session_key_although_the_request_has_a_subkey()
    {
        await using var realm = StartRealm().Fail(KdcFault.SessionKeyReply, KerberosExchange.Referral);
        var client = new WireClient(realm, "gw", Password);
        var tgt = await client.LogOnAsync();
        using var subkey = KerberosKey.CreateRandom(EncryptionType.Aes256CtsHmacSha1);
        var app = new PrincipalName(2, ["HTTP", "app"]);

        var underSessionKey = await AskAsync();
        underSessionKey.Decrypt(tgt.Part.Key, KeyUsage.TgsReplySessionKey).Length.ShouldBeGreaterThan(0);
        var underSubkey = await AskAsync();
        underSubkey.Decrypt(subkey, KeyUsage.TgsReplySubkey).Length.ShouldBeGreaterThan(0);

        async Task<EncryptedData> AskAsync()
        {
            var bytes = await client.TgsAsync(tgt, client.TgsBody(app), authenticator => authenticator with { Subkey = subkey });
            return KdcReplyMessage.Decode(KdcMessageType.TgsReply, bytes).EncryptedPart;
        }
    }

    /// <summary>The identity in a ticket that went through S4U2Self and S4U2Proxy.</summary>
    private static async Task<AcceptedIdentity> AcceptAsync(TestRealm realm)
    {
        var ticket = await realm.GetTicketAsync("gw", "ada", "HTTP/app", Stop);
        return new TestAcceptor(realm, "HTTP/app").Accept(TokenMaker.Header(TokenMaker.CreateToken(ticket)));
    }
}
