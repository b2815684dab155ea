// Where the functions are: npm run dev on this machine. A phone needs the address of the deployment instead, which must
// be among the request 合法域名 of the mini program.
module.exports = { baseUrl: 'http://127.0.0.1:3000' }
