using KcdDelegation.InteropTests.Diagnosis;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.AccountKeys;
using KcdDelegation.Kerberos.Exchanges;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.PasswordChange;
using KcdDelegation.Kerberos.Time;
using KcdDelegation.Kerberos.Transport;
using Microsoft.Extensions.Logging.Abstractions;

namespace KcdDelegation.InteropTests.Accounts;

/// <summary>Changes of passwords at the password servers of the lab (RFC 3244): Samba's and MIT's kadmind.</summary>
public sealed class PasswordChangeTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("samba", KdcTransport.Tcp)]
    [InlineData("samba", KdcTransport.Udp)]
    [InlineData("samba22", KdcTransport.Tcp)]
    [InlineData("samba22", KdcTransport.Udp)]
    [InlineData("mit", KdcTransport.Tcp)]
    [InlineData("mit", KdcTransport.Udp)]
    public async Task A_password_of_120_characters_is_set_and_opens_the_next_log_on(string part, KdcTransport transport)
    {
        var realm = LabRealm.Get(part);
        realm.Require();
        await LabPasswords.AllowChangesAsync(realm, Stop);
        await using var company = await LabCompany.FoundAsync(realm, Stop);
        await using var lab = new LabPasswords(realm, company.Account, transport);
        using var first = new Password(Lab.Password);
        using var second = new Password(new string('x', 60) + "A1-_" + new string('y', 56));
        (await lab.Changer.ChangeAsync(first, second, Stop)).ShouldBeOfType<PasswordChangeOutcome.Changed>();
        await lab.Changer.ConfirmAsync(second, Stop);
    }

    /// <summary>Heimdal's kpasswdd listens on UDP only, so the connection over TCP is refused first.</summary>
    [Theory]
    [InlineData(KdcTransport.Tcp)]
    [InlineData(KdcTransport.Udp)]
    public async Task Heimdal_changes_a_password_over_UDP(KdcTransport transport)
    {
        LabRealm.Heimdal.Require();
        var account = $"t{Guid.NewGuid():N}"[..9];
        await Lab.RunScriptAsync("heimdal", ["kadmin", "add", "--use-defaults", $"--password={Lab.Password}", account], Stop);
        try
        {
            await using var lab = new LabPasswords(LabRealm.Heimdal, account, transport);
            using var first = new Password(Lab.Password);
            using var second = GeneratedPassword.Create(account);
            (await lab.Changer.ChangeAsync(first, second, Stop)).ShouldBeOfType<PasswordChangeOutcome.Changed>();
            await lab.Changer.ConfirmAsync(second, Stop);
        }
        finally
        {
            await Lab.RunScriptAsync("heimdal", ["kadmin", "delete", account], CancellationToken.None);
        }
    }

    [Theory]
    [InlineData("samba")]
    [InlineData("samba22")]
    public async Task A_password_against_the_policy_of_the_domain_is_refused_with_the_policy(string part)
    {
        var realm = LabRealm.Get(part);
        realm.Require();
        await LabPasswords.AllowChangesAsync(realm, Stop);
        await using var company = await LabCompany.FoundAsync(realm, Stop);
        await using var lab = new LabPasswords(realm, company.Account, KdcTransport.Tcp);
        using var first = new Password(Lab.Password);
        using var second = new Password("short");
        var refused = (await lab.Changer.ChangeAsync(first, second, Stop)).ShouldBeOfType<PasswordChangeOutcome.Refused>();
        refused.Result.Code.ShouldBe(PasswordResultCode.PolicyViolation, refused.Result.Text);
        await lab.Changer.ConfirmAsync(first, Stop);
    }
}

/// <summary>The password server of a realm of the lab.</summary>
internal sealed class LabPasswords : IAsyncDisposable
{
    private readonly KdcDispatcher _dispatcher;
    private readonly RealmConcurrencyLimits _limits;

    public LabPasswords(LabRealm realm, string account, KdcTransport transport)
    {
        var time = TimeProvider.System;
        _dispatcher = KdcDispatcher.Create(
            [KeyValuePair.Create<string, IReadOnlyList<KdcEndpoint>>(realm.Realm, [realm.Kdc])], time, NullLogger.Instance);
        _limits = new RealmConcurrencyLimits(realm.Realm, 4, 4);
        var context = new ExchangeContext
        {
            Realm = realm.Realm, Account = ServiceAccount.FromPassword(account, "unused"),
            EncryptionTypes = [EncryptionType.Aes256CtsHmacSha1, EncryptionType.Aes128CtsHmacSha1],
            MaxClockCorrection = TimeSpan.FromHours(1), Clock = new KdcClock(time), Dispatcher = _dispatcher, Limits = _limits,
            Logger = NullLogger.Instance,
        };
        Changer = new PasswordChanger(
            context, PasswordServers.Create([GetServer(realm) with { Transport = transport }], [], time, NullLogger.Instance),
            SingleDelivery.Create(time));
    }

    public PasswordChanger Changer { get; }

    /// <summary>Returns the address of the realm's password server. MIT's and Heimdal's have a port of their own in the lab.</summary>
    public static KdcEndpoint GetServer(LabRealm realm) => new(realm.Kdc.Host, realm.Software == LabKdc.Samba ? 464 : 10464);

    /// <summary>Lets accounts of a Samba domain change their passwords repeatedly: no minimum age.</summary>
    public static async Task AllowChangesAsync(LabRealm realm, CancellationToken cancellationToken)
    {
        if (realm.Software == LabKdc.Samba)
            await Lab.RunScriptAsync(realm.Part, ["tool", "domain", "passwordsettings", "set", "--min-pwd-age=0"], cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _dispatcher.DisposeAsync();
        _limits.Dispose();
    }
}
