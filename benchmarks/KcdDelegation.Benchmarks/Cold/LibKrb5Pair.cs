using System.Runtime.InteropServices;
using KcdDelegation.Benchmarks.Peers;

namespace KcdDelegation.Benchmarks.Cold;

/// <summary>S4U2Self and S4U2Proxy with MIT's libkrb5, like kvno -I -P, without storing tickets. The account's ticket-granting ticket
/// is in a memory credential cache. Not thread-safe.</summary>
internal sealed unsafe class LibKrb5Pair : IDisposable
{
    private readonly nint _context;
    private readonly nint _cache;
    private readonly nint _self;
    private readonly nint _target;
    private readonly Dictionary<string, nint> _users = new(StringComparer.Ordinal);

    /// <param name="configuration">The krb5.conf, which selects UDP or TCP.</param>
    /// <param name="account">The delegating account.</param>
    /// <param name="keytab">The file with its keys.</param>
    /// <param name="target">The service principal name.</param>
    public LibKrb5Pair(string configuration, string account, string keytab, string target)
    {
        KerberosEnvironment.Set("KRB5_CONFIG", configuration);
        Check(LibKrb5.InitContext(out _context));
        Check(LibKrb5.ParseName(_context, account, out _self));
        Check(LibKrb5.ParseName(_context, target, out _target));
        Check(LibKrb5.ResolveCache(_context, $"MEMORY:kcd-pair-{Guid.NewGuid():N}", out _cache));
        Check(LibKrb5.InitializeCache(_context, _cache, _self));
        Check(LibKrb5.ResolveKeytab(_context, "FILE:" + keytab, out var keys));
        LibKrb5.Credentials tgt = default;
        Check(LibKrb5.LogOn(_context, &tgt, _self, keys, 0, 0, 0));
        Check(LibKrb5.StoreCredentials(_context, _cache, &tgt));
        Check(LibKrb5.CloseKeytab(_context, keys));
    }

    /// <summary>Runs one pair of exchanges.</summary>
    /// <param name="user">A principal of the realm.</param>
    /// <returns>The size of the service ticket in bytes.</returns>
    public int Run(string user)
    {
        ref var principal = ref CollectionsMarshal.GetValueRefOrAddDefault(_users, user, out var known);
        if (!known)
            Check(LibKrb5.ParseName(_context, user, out principal));

        LibKrb5.Credentials* evidence, ticket;
        var forUser = new LibKrb5.Credentials { Client = principal, Server = _self };
        Check(LibKrb5.GetCredentialsForUser(_context, LibKrb5.DoNotStore, _cache, &forUser, 0, &evidence));
        var byProxy = new LibKrb5.Credentials { Client = _self, Server = _target, SecondTicket = evidence->Ticket };
        Check(LibKrb5.GetCredentials(_context, LibKrb5.DoNotStore | LibKrb5.ConstrainedDelegation, _cache, &byProxy, &ticket));
        var length = (int)ticket->Ticket.Length;
        LibKrb5.FreeCredentials(_context, evidence);
        LibKrb5.FreeCredentials(_context, ticket);
        return length;
    }

    public void Dispose()
    {
        foreach (var principal in _users.Values)
            LibKrb5.FreePrincipal(_context, principal);
        LibKrb5.FreePrincipal(_context, _self);
        LibKrb5.FreePrincipal(_context, _target);
        Check(LibKrb5.CloseCache(_context, _cache));
        LibKrb5.FreeContext(_context);
    }

    private void Check(int code) => LibKrb5.Check(_context, code);
}
