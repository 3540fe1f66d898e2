using System.Security.Claims;
using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.Identity;

/// <summary>What holds for every mapper, ours or somebody else's: before it is asked, who may be delegated at all; afterwards, as whom nobody
/// is. A table that knows every account of the directory is no reason to let guests in.</summary>
internal sealed class GuardedMapper(IIdentityMapper mapper) : IIdentityMapper
{
    public async ValueTask<KerberosPrincipal> MapAsync(ClaimsPrincipal caller, DelegatedApplication application, CancellationToken cancellationToken)
    {
        var callers = application.GetUsers().Callers;
        callers.Check(CallerClaims.From(caller));
        var user = await mapper.MapAsync(caller, application, cancellationToken).ConfigureAwait(false);
        callers.CheckName(user.Name);
        RefuseRealmsOwnAccounts(user, application);
        return user;
    }

    private static void RefuseRealmsOwnAccounts(KerberosPrincipal user, DelegatedApplication application)
    {
        var account = GetAccount(user);
        if (NameRules.IsKdc(account))
            throw DelegationFailure.Identity(KcdEventId.BuiltInAccountRefused, $"{PrintableText.Quoted(account)} is the account of the KDC itself.",
                "No one may act as it. Find out how this name came into a token.").ToException();
        if (!application.AllowBuiltInAccounts && (IsOfService(user) || NameRules.IsBuiltIn(account)))
            throw DelegationFailure.Identity(KcdEventId.BuiltInAccountRefused, $"{PrintableText.Quoted(account)} is, or may be taken for, a built-in, service or computer account.",
                "Call as a person's own account, or lift the ban for this application with AllowBuiltInAccounts.").ToException();
    }

    /// <summary>A KDC that finds no such UPN takes the part before the @ for an account's name (MS-KILE §3.3.5.6.1).</summary>
    private static string GetAccount(KerberosPrincipal user)
    {
        var at = user.Type == PrincipalNameType.Enterprise ? user.Name.IndexOf('@', StringComparison.Ordinal) : -1;
        return at < 0 ? user.Name : user.Name[..at];
    }

    /// <summary>host/dc1.contoso.com leads to DC1$ (RFC 4120 §6.2.1).</summary>
    private static bool IsOfService(KerberosPrincipal user) =>
        user.Type == PrincipalNameType.ServiceInstance || (user.Type == PrincipalNameType.Principal && user.Name.Contains('/', StringComparison.Ordinal));
}
