using System.Diagnostics;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.PasswordChange;
using KcdDelegation.RollingProcess;

if (args[0] == "managed")
    return await ManagedPasswordSearch.RunAsync(args[1..]);

// Changes the password of an account once, in a process of its own.
// Arguments: REALM KDC PASSWORD-SERVER ACCOUNT FILE, and one of
//   roll         exit code 0: changed, 3: another process is changing it
//   kill STEP    kills itself after the step, without a chance to clean up (SIGKILL)
//   search       changes it twice, disposes everything, and searches its memory for the passwords; exit code 4: one was found
//   held         the same without disposing the account
var (realm, kdc, server, name, file) = (args[0], KdcEndpoint.Parse(args[1]), KdcEndpoint.Parse(args[2]), args[3], args[4]);
using var patterns = new SecretPatterns();
var isSearch = args[5] is "search" or "held";
if (isSearch)
    patterns.AddFile(file);
var changed = await ChangeAsync();
if (!isSearch)
    return changed ? 0 : 3;

patterns.AddFile(file);
await ChangeAsync();
patterns.AddFile(file);
var found = ProcessMemory.Find(patterns);
Console.WriteLine(found ?? "no password in memory");
return found is null ? 0 : 4;

async Task<bool> ChangeAsync()
{
    var account = ServiceAccount.FromRollingPasswordFile(name, file);
    using var disposed = args[5] == "held" ? null : account;
    var options = new S4UClientOptions { Realm = realm, Account = account, PasswordServers = [server] };
    options.Kdcs[realm] = [kdc];
    await using var client = new S4UClient(options);
    if (args[5] == "kill")
    {
        var step = Enum.Parse<PasswordRollStep>(args[6]);
        client.Roller!.StepCompleted = completed =>
        {
            if (completed == step)
                Process.GetCurrentProcess().Kill();
        };
    }
    var rolled = await client.RollPasswordAsync();
    await client.LogOnAsync();
    return rolled;
}
