using System.CommandLine;
using KcdDelegation.Kerberos;
using KcdDelegation.Tool.Settings;

namespace KcdDelegation.Tool.Commands;

/// <summary>The arguments of the commands that get a ticket.</summary>
internal sealed record DelegationArguments(DelegationSettings Settings, KerberosPrincipal User, ServicePrincipalName Service)
{
    /// <exception cref="UsageException">Values are missing, which the message names together, or a value is not valid.</exception>
    public static DelegationArguments Read(ParseResult parsed, AccountOptions account, TargetOptions target)
    {
        var missing = new MissingOptions();
        var settings = account.Read(parsed, missing);
        target.AddMissing(parsed, settings, missing);
        missing.ThrowIfAny();
        return new DelegationArguments(settings, target.ReadUser(parsed, settings), target.ReadService(parsed, settings));
    }
}
