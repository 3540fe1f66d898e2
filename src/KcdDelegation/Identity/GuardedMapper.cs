using System.Runtime.CompilerServices;
using System.Security.Claims;
using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos;

namespace KcdDelegation.Identity;

/// <summary>The one entry to the mapping: checks the caller before any mapper and the name after it. A mapper that knows every account of
/// the directory gives guests no access.</summary>
internal sealed class GuardedMapper(IIdentityMapper mapper)
{
    /// <summary>Maps the caller if they may be delegated.</summary>
    /// <exception cref="KcdException">The caller may not be delegated, or has no name.</exception>
    public ValueTask<KerberosPrincipal> MapAsync(
        ClaimsPrincipal caller, CallerPolicy policy, MappingContext context, CancellationToken cancellationToken)
    {
        var claims = CallerClaims.Read(caller, CallerClaims.GetNames(context));
        policy.CheckCaller(claims);
        if (mapper is not ClaimsIdentityMapper)
            return MapByHostAsync(caller, policy, context, cancellationToken);
        // The default mapper needs nothing but the claims that were just read.
        cancellationToken.ThrowIfCancellationRequested();
        var user = ClaimsIdentityMapper.Map(claims, context);
        CheckUser(user, policy, context);
        return ValueTask.FromResult(user);
    }

    private async ValueTask<KerberosPrincipal> MapByHostAsync(
        ClaimsPrincipal caller, CallerPolicy policy, MappingContext context, CancellationToken cancellationToken)
    {
        var user = await mapper.MapAsync(caller, context, cancellationToken).ConfigureAwait(false);
        CheckUser(user, policy, context);
        return user;
    }

    /// <summary>Checks the result of a mapper.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CheckUser(KerberosPrincipal user, CallerPolicy policy, MappingContext context)
    {
        policy.CheckName(user);
        if (context.RequireSecurityIdentifier && user.SecurityIdentifier is null)
            throw SecurityIdentifierMissing(context);
    }

    private static KcdException SecurityIdentifierMissing(MappingContext context) => DelegationFailure.Identity(
        KcdErrorKind.UserNotPermitted, KcdEventId.SecurityIdentifierMissing,
        $"The caller has no SID of their account (claim onprem_sid), which the application {PrintableText.From(context.ApplicationName)} "
            + "requires.",
        "Add the optional claim onprem_sid to the token, or a claim onpremisessecurityidentifier by a claims mapping policy. Users without "
            + "an on-premises account have none.").ToException();
}
