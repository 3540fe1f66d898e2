using System.Net;
using KcdDelegation.DirectoryServices;
using KcdDelegation.Kerberos;

namespace KcdDelegation.RollingProcess;

/// <summary>Reads the password of a group managed service account, logs on with it, disposes everything, and searches the memory of the
/// process for the password.</summary>
internal static class ManagedPasswordSearch
{
    /// <summary>The first password in MSDS-MANAGEDPASSWORD_BLOB (MS-ADTS §2.2.19) of a domain controller.</summary>
    private const int CurrentPassword = 16;

    /// <param name="args">REALM ADDRESS HOST READER KEYTAB ACCOUNT, and "held" to keep the account in use.</param>
    /// <returns>Exit code 0: not found, 4: found.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        var (realm, address, host) = (args[0], IPAddress.Parse(args[1]), args[2]);
        var isHeld = args is [.., "held"];
        using var patterns = new SecretPatterns();
        var account = await LogOnAsync(realm, address, host, (args[3], args[4]), args[5], patterns);
        if (!isHeld)
            account.Dispose();
        var found = ProcessMemory.Find(patterns);
        Console.WriteLine(found ?? "no password in memory");
        GC.KeepAlive(account);
        return found is null ? 0 : 4;
    }

    private static async Task<ServiceAccount> LogOnAsync(
        string realm, IPAddress address, string host, (string Name, string Keytab) reader, string name, SecretPatterns patterns)
    {
        using var readerAccount = ServiceAccount.FromKeytab(reader.Name, reader.Keytab);
        await using var readerClient = CreateClient(realm, address, readerAccount);
        var domain = realm.ToLowerInvariant();
        var options = new DirectoryClientOptions { Reader = readerClient, Domain = domain };
        options.Servers.Add(new DirectoryServer(host, null, address));
        await using var directory = new DirectoryClient(options);
        var account = ServiceAccount.FromManagedPassword(name, new DirectoryPasswordSource(directory, domain, reader.Name));
        await using (var client = CreateClient(realm, address, account))
            await client.LogOnAsync();

        // The same value is read once more, for the patterns to search.
        var entries = await directory.SearchAsync(new LdapSearch
        {
            Base = string.Join(',', domain.Split('.').Select(label => $"DC={label}")),
            Filter = LdapFilter.Equal("sAMAccountName", name),
            Attributes = ["msDS-ManagedPassword"],
            PageSize = 0,
            ReadsSecrets = true,
        });
        patterns.AddCharacters(entries[0].GetValues("msDS-ManagedPassword")[0].Span[CurrentPassword..]);
        entries[0].Dispose();
        return account;
    }

    private static S4UClient CreateClient(string realm, IPAddress address, ServiceAccount account) => new(new S4UClientOptions
    {
        Realm = realm, Account = account, Kdcs = { [realm] = [new KdcEndpoint($"{address}")] },
    });
}
