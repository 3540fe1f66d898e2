using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests.Scenarios;

/// <summary>Runs a scenario with a separate client and describes its outcome.</summary>
internal static class ScenarioOutcome
{
    /// <summary>The outcome on a realm that has no such account.</summary>
    public const string NotApplicable = "—";

    public static async Task<string> RunAsync(Scenario scenario, ScenarioRealm realm, CancellationToken cancellationToken)
    {
        using var account = realm.CreateAccount(scenario.Account);
        if (account is null)
            return NotApplicable;
        var options = new S4UClientOptions { Realm = realm.Realm, Account = account, EncryptionTypes = scenario.OnlyType is { } type
            ? [type] : new S4UClientOptions { Realm = realm.Realm, Account = account }.EncryptionTypes };
        options.Kdcs[realm.Realm] =
            [scenario.HasNoKdc ? new KdcEndpoint("127.0.0.1", 9) : realm.Kdc with { Transport = scenario.Transport }];
        await using var client = new S4UClient(options);
        return await OfAsync(
            () => client.GetTicketAsync(scenario.User(realm), ServicePrincipalName.Parse(scenario.Target(realm)), cancellationToken));
    }

    public static async Task<string> OfAsync(Func<ValueTask<ServiceTicket>> request)
    {
        try
        {
            return $"{(await request()).User}";
        }
        catch (KerberosException error)
        {
            return Describe(error);
        }
    }

    /// <summary>Returns the RFC's name of the code, or the reason, then the exchange, and the client's own finding.</summary>
    private static string Describe(KerberosException error)
    {
        var head = error.Message.Split(' ', 2)[0];
        var found = error.Code is not null && error.Reason is not KerberosFailureReason.KdcError ? $" ({error.Reason})" : "";
        return $"{head} in {error.Exchange}{found}";
    }
}
